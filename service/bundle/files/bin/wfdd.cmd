@echo off
rem wfdd from the PATH, as wfdctl beside it.
"%~dp0..\wfdd.cmd" %*
