/**
 * Restricts who can enter a folder: security descriptors as text (SDDL), with functions of
 * advapi32.dll and kernel32.dll. Names are Microsoft's; `code` is 0 or a Win32 code.
 *
 * Invariant: what a function allocates is freed here, by LocalFree, and no pointer leaves this
 * file.
 *
 * Source: learn.microsoft.com/windows/win32/api/aclapi,
 * .../secauthz/security-descriptor-string-format
 */
import koffi from 'koffi';
import { type Library, lastError, openLibrary, system32 } from './library.js';
import './winsvc.js';

// accctrl.h, winnt.h, sddl.h
const SE_FILE_OBJECT = 1;
const OWNER_SECURITY_INFORMATION = 0x1;
const DACL_SECURITY_INFORMATION = 0x4;
const PROTECTED_DACL_SECURITY_INFORMATION = 0x8000_0000;
const UNPROTECTED_DACL_SECURITY_INFORMATION = 0x2000_0000;
/** A DACL without an entry. */
const NO_ENTRIES = 'D:';
const SDDL_REVISION_1 = 1;

koffi.alias('PACL', 'PVOID');
/** A text that LocalFree must free, so its pointer is kept. */
koffi.alias('LOCAL_LPWSTR', 'PVOID');
koffi.struct('SECURITY_ATTRIBUTES', { nLength: 'DWORD', lpSecurityDescriptor: 'PVOID', bInheritHandle: 'BOOL' });

type Out<T> = [T];

/** The functions of bindAclapi(). */
export type Aclapi = ReturnType<typeof bindAclapi>;

/** The functions of this Windows. */
export function loadAclapi(): Aclapi {
  return bindAclapi(openLibrary(system32('advapi32.dll')), openLibrary(system32('kernel32.dll')));
}

/**
 * Binds the functions. They only read local data, and nothing else waits for them, so they are
 * synchronous.
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: an entry for each function of the library.
export function bindAclapi(advapi32: Library, kernel32: Library) {
  const ConvertStringSecurityDescriptorToSecurityDescriptorW = advapi32.bindSync<
    [string, number, Out<bigint | null>, null]
  >(
    'BOOL __stdcall ConvertStringSecurityDescriptorToSecurityDescriptorW(LPWSTR StringSecurityDescriptor, DWORD StringSDRevision, _Out_ PVOID *SecurityDescriptor, PULONG SecurityDescriptorSize)',
  );
  const ConvertSecurityDescriptorToStringSecurityDescriptorW = advapi32.bindSync<
    [bigint | null, number, number, Out<bigint | null>, null]
  >(
    'BOOL __stdcall ConvertSecurityDescriptorToStringSecurityDescriptorW(PVOID SecurityDescriptor, DWORD RequestedStringSDRevision, DWORD SecurityInformation, _Out_ LOCAL_LPWSTR *StringSecurityDescriptor, PULONG StringSecurityDescriptorLen)',
  );
  const GetSecurityDescriptorDacl = advapi32.bindSync<[bigint | null, Out<number>, Out<bigint | null>, Out<number>]>(
    'BOOL __stdcall GetSecurityDescriptorDacl(PVOID pSecurityDescriptor, _Out_ BOOL *lpbDaclPresent, _Out_ PACL *pDacl, _Out_ BOOL *lpbDaclDefaulted)',
  );
  const SetNamedSecurityInfoW = advapi32.bindSync<[string, number, number, null, null, bigint | null, null]>(
    'DWORD __stdcall SetNamedSecurityInfoW(LPWSTR pObjectName, int32_t ObjectType, DWORD SecurityInfo, PVOID psidOwner, PVOID psidGroup, PACL pDacl, PACL pSacl)',
  );
  const GetNamedSecurityInfoW = advapi32.bindSync<[string, number, number, null, null, null, null, Out<bigint | null>]>(
    'DWORD __stdcall GetNamedSecurityInfoW(LPWSTR pObjectName, int32_t ObjectType, DWORD SecurityInfo, PVOID *ppsidOwner, PVOID *ppsidGroup, PACL *ppDacl, PACL *ppSacl, _Out_ PVOID *ppSecurityDescriptor)',
  );
  const ConvertStringSidToSidW = advapi32.bindSync<[string, Out<bigint | null>]>(
    'BOOL __stdcall ConvertStringSidToSidW(LPWSTR StringSid, _Out_ PVOID *Sid)',
  );
  const CheckTokenMembership = advapi32.bindSync<[null, bigint | null, Out<number>]>(
    'BOOL __stdcall CheckTokenMembership(HANDLE TokenHandle, PVOID SidToCheck, _Out_ BOOL *IsMember)',
  );
  const CreateDirectoryW = kernel32.bindSync<[string, unknown]>(
    'BOOL __stdcall CreateDirectoryW(LPWSTR lpPathName, SECURITY_ATTRIBUTES *lpSecurityAttributes)',
  );
  const LocalFree = kernel32.bindSync<[bigint | null], bigint | null>('PVOID __stdcall LocalFree(PVOID hMem)');

  /**
   * Calls `use` with the descriptor of a text, or returns the error code if the text is not valid.
   */
  function withDescriptor(sddl: string, use: (descriptor: bigint | null) => number): { code: number } {
    const out: Out<bigint | null> = [null];
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1, out, null)) {
      return { code: lastError() };
    }
    try {
      return { code: use(out[0]) };
    } finally {
      LocalFree(out[0]);
    }
  }

  /** A part of the descriptor of a file or folder, as text. */
  function describe(pObjectName: string, what: number): { code: number; sddl: string } {
    const descriptor: Out<bigint | null> = [null];
    const code = GetNamedSecurityInfoW(pObjectName, SE_FILE_OBJECT, what, null, null, null, null, descriptor);
    if (code !== 0) return { code, sddl: '' };
    const text: Out<bigint | null> = [null];
    try {
      return ConvertSecurityDescriptorToStringSecurityDescriptorW(descriptor[0], SDDL_REVISION_1, what, text, null)
        ? { code, sddl: koffi.decode(text[0], 'WCHAR', -1) as string }
        : { code: lastError(), sddl: '' };
    } finally {
      LocalFree(text[0]);
      LocalFree(descriptor[0]);
    }
  }

  /** Gives a file or folder the DACL of this descriptor. */
  function setDacl(pObjectName: string, sddl: string, protection: number): { code: number } {
    return withDescriptor(sddl, (descriptor) => {
      const dacl: Out<bigint | null> = [null];
      if (!GetSecurityDescriptorDacl(descriptor, [0], dacl, [0])) return lastError();
      const what = DACL_SECURITY_INFORMATION | protection;
      return SetNamedSecurityInfoW(pObjectName, SE_FILE_OBJECT, what >>> 0, null, null, dacl[0], null);
    });
  }

  return {
    /**
     * Creates a folder with this descriptor, in one step. ERROR_ALREADY_EXISTS,
     * ERROR_PATH_NOT_FOUND.
     */
    CreateDirectoryW(lpPathName: string, sddl: string) {
      return withDescriptor(sddl, (lpSecurityDescriptor) => {
        const nLength = koffi.sizeof('SECURITY_ATTRIBUTES');
        return CreateDirectoryW(lpPathName, { nLength, lpSecurityDescriptor, bInheritHandle: 0 }) ? 0 : lastError();
      });
    },

    /**
     * Gives a file or folder the DACL of this descriptor. It inherits nothing; its contents inherit
     * from it.
     */
    SetNamedSecurityInfoW: (pObjectName: string, sddl: string) =>
      setDacl(pObjectName, sddl, PROTECTED_DACL_SECURITY_INFORMATION),

    /** Removes all own entries of a file or folder, so that it has only inherited ones. */
    InheritSecurityInfo: (pObjectName: string) =>
      setDacl(pObjectName, NO_ENTRIES, UNPROTECTED_DACL_SECURITY_INFORMATION),

    /**
     * Whether the token of this process has this SID, enabled, as its user or as one of its groups.
     */
    CheckTokenMembership(sid: string) {
      const pointer: Out<bigint | null> = [null];
      if (!ConvertStringSidToSidW(sid, pointer)) return { code: lastError(), isMember: false };
      const isMember: Out<number> = [0];
      try {
        const code = CheckTokenMembership(null, pointer[0], isMember) ? 0 : lastError();
        return { code, isMember: code === 0 && isMember[0] !== 0 };
      } finally {
        LocalFree(pointer[0]);
      }
    },

    /** The owner of a file or folder, as `O:BA` or `O:S-1-5-...`. ERROR_FILE_NOT_FOUND. */
    GetNamedSecurityInfoW(pObjectName: string) {
      const { code, sddl } = describe(pObjectName, OWNER_SECURITY_INFORMATION);
      return { code, owner: sddl };
    },

    /**
     * The DACL of a file or folder, as `D:PAI(A;;FA;;;SY)...`. ERROR_FILE_NOT_FOUND,
     * ERROR_ACCESS_DENIED.
     */
    GetDaclOf: (pObjectName: string) => describe(pObjectName, DACL_SECURITY_INFORMATION),
  };
}
