@echo off
rem Opens, closes and watches sessions. Options: wfdctl.cmd --help
"%~dp0node.exe" "%~dp0clients\ctl\wfdctl.mjs" %*
