@echo off
rem The daemon on the simulator: a few paired devices that do not exist. No Wi-Fi adapter is needed or touched.
"%~dp0wfdd.cmd" --driver simulator --simulator-library "%~dp0dist\native\simulator\wfdsim.dll" %*
