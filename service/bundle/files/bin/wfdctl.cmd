@echo off
rem wfdctl from the PATH: this folder holds commands alone, and no node.exe that others would find.
"%~dp0..\wfdctl.cmd" %*
