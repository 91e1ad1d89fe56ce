@echo off
rem The daemon on the Wi-Fi Direct service of this computer. Options: wfdd.cmd --help
setlocal
if not defined UV_THREADPOOL_SIZE set "UV_THREADPOOL_SIZE=16"
"%~dp0node.exe" "%~dp0service\wfdd.cjs" %*
