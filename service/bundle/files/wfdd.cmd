@echo off
rem The daemon on the Wi-Fi Direct service of this computer. Options: wfdd.cmd --help
"%~dp0node.exe" "%~dp0service\wfdd.cjs" %*
