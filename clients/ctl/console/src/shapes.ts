/**
 * The parts of the messages that the page reads. ProtoJSON leaves out fields that have their
 * default.
 */

export interface NativeResult {
  readonly function?: string;
  readonly code?: number;
  readonly name?: string;
  readonly reasonCode?: number;
  readonly reasonText?: string;
}

export interface SessionShape {
  readonly sessionId: string;
  readonly deviceAddress: string;
  readonly kind?: string;
  readonly state: string;
  readonly owner?: string;
  readonly networkInterface?: {
    readonly guid?: string;
    readonly index?: number;
    readonly alias?: string;
    readonly localAddresses?: readonly string[];
    readonly peerAddresses?: readonly string[];
  };
  readonly end?: {
    readonly reason?: string;
    readonly evidence?: string;
    readonly error?: { readonly reason?: string; readonly message?: string; readonly nativeResult?: NativeResult };
  };
  readonly leaseExpireTime?: string;
  readonly createTime?: string;
  readonly openTime?: string;
  readonly closeTime?: string;
  readonly endTime?: string;
  readonly requestId?: string;
  readonly remedy?: string;
}

export interface EventShape {
  readonly sequence: string;
  readonly epoch: string;
  readonly time?: string;
  readonly type?: string;
  readonly session?: SessionShape;
  readonly cause?: {
    readonly source?: string;
    readonly rpc?: string;
    readonly principal?: string;
    readonly requestId?: string;
  };
  readonly nativeResult?: NativeResult;
  readonly remedy?: string;
}

export interface DeviceShape {
  readonly deviceAddress: string;
  readonly name?: string;
  readonly isConnected?: boolean;
  readonly isVisible?: boolean;
  readonly isLegacy?: boolean;
  readonly linkQuality?: number;
  readonly interfaceAddress?: string;
  readonly isPresent?: boolean;
  readonly isTransient?: boolean;
}

export interface HostShape {
  readonly hostId?: string;
  readonly hostname?: string;
  readonly state?: string;
  readonly stateReason?: string;
  readonly stateMessage?: string;
  readonly driver?: { readonly kind?: string; readonly libraryPath?: string };
  readonly serviceVersion?: string;
  readonly startTime?: string;
  readonly durability?: string;
  readonly limits?: { readonly sessionsMax?: number };
  readonly remedy?: string;
}

/** `SESSION_STATE_OPEN` -> `OPEN`. */
export function short(name: string | undefined, prefix: string): string {
  return name === undefined ? '' : name.replace(prefix, '');
}

/** `PEER_DISCONNECTED` -> `peer disconnected`. */
export function words(name: string): string {
  return name.toLowerCase().replaceAll('_', ' ');
}

/** `1460 ERROR_TIMEOUT: The network is not available.` */
export function nativeText(native: NativeResult | undefined): string {
  // A success adds nothing to what the event says.
  if (!native?.code) return native?.reasonText ?? '';
  const code = [native.code, native.name].filter(Boolean).join(' ');
  return [code, native.reasonText].filter(Boolean).join(': ');
}
