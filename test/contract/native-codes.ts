/**
 * What Windows answers, whichever function, → what the client is told: the rows of the error table
 * that do not depend on the call.
 */
import { status } from '@grpc/grpc-js';

export const nativeCodes = [
  [5023, status.FAILED_PRECONDITION, 'WIFI_DIRECT_DISABLED_BY_POLICY'],
  [1062, status.UNAVAILABLE, 'WLAN_SERVICE_NOT_RUNNING'],
  [1722, status.UNAVAILABLE, 'WLAN_SERVICE_UNREACHABLE'],
  [1723, status.UNAVAILABLE, 'WLAN_SERVICE_UNREACHABLE'],
  [1726, status.UNAVAILABLE, 'WLAN_SERVICE_UNREACHABLE'],
  [1727, status.UNAVAILABLE, 'WLAN_SERVICE_UNREACHABLE'],
  [1753, status.UNAVAILABLE, 'WLAN_SERVICE_UNREACHABLE'],
  [1220, status.RESOURCE_EXHAUSTED, 'NATIVE_LIMIT_REACHED'],
  [8, status.RESOURCE_EXHAUSTED, 'NATIVE_LIMIT_REACHED'],
  [14, status.RESOURCE_EXHAUSTED, 'NATIVE_LIMIT_REACHED'],
  [5, status.FAILED_PRECONDITION, 'HOST_ACCESS_DENIED'],
  [1168, status.FAILED_PRECONDITION, 'DEVICE_NOT_PAIRED'],
  // HRESULTs mean the Win32 code inside them.
  [0x8007_0490, status.FAILED_PRECONDITION, 'DEVICE_NOT_PAIRED'],
  [0x8007_0426, status.UNAVAILABLE, 'WLAN_SERVICE_NOT_RUNNING'],
  [0x8007_0005, status.FAILED_PRECONDITION, 'HOST_ACCESS_DENIED'],
] as const;
