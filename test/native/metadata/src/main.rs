//! Prints what Microsoft's metadata of Windows, as windows-sys has it, says of the structs,
//! constants and functions that native/ declares. The list of them is a file of macro calls that
//! the test writes, named by QUESTIONS at build time:
//!
//!     structs! { SC_ACTION { Type, Delay } }
//!     constants! { SERVICE_STOPPED }
//!     keys! { DEVPKEY_NAME }
//!     guids! { GUID_DEVINTERFACE_WIFIDIRECT_DEVICE }
//!     functions! { WFDCloseHandle parameters_1 }
//!
//! Nothing of Windows is linked: functions are only looked at as types, by the compiler, which
//! refuses one whose number of parameters is another.
#![allow(unused_imports, dead_code)]

use std::mem::{align_of, offset_of, size_of, size_of_val};

use windows_sys::core::GUID;
use windows_sys::Win32::Devices::DeviceQuery::*;
use windows_sys::Win32::Devices::Properties::*;
use windows_sys::Win32::Foundation::*;
use windows_sys::Win32::NetworkManagement::IpHelper::*;
use windows_sys::Win32::NetworkManagement::Ndis::NET_LUID_LH as NET_LUID;
use windows_sys::Win32::NetworkManagement::Ndis::*;
use windows_sys::Win32::NetworkManagement::WiFi::*;
use windows_sys::Win32::Networking::WinSock::*;
use windows_sys::Win32::Security::Authorization::*;
use windows_sys::Win32::Security::WinTrust::*;
use windows_sys::Win32::Security::*;
use windows_sys::Win32::Storage::FileSystem::*;
use windows_sys::Win32::System::EventLog::*;
use windows_sys::Win32::System::LibraryLoader::*;
use windows_sys::Win32::System::Power::*;
use windows_sys::Win32::System::Registry::*;
use windows_sys::Win32::System::Rpc::*;
use windows_sys::Win32::System::Services::*;
use windows_sys::Win32::System::SystemInformation::*;
use windows_sys::Win32::System::Threading::*;
use windows_sys::Win32::UI::WindowsAndMessaging::*;

macro_rules! structs {
    ($($name:ident { $($member:ident),* })*) => {$(
        println!("struct {} {} {}", stringify!($name), size_of::<$name>(), align_of::<$name>());
        $(println!("member {}.{} {}", stringify!($name), stringify!($member), offset_of!($name, $member));)*
    )*};
}

/// The value, and how many bytes it has. As 64 bits, so that a handle such as a predefined key is
/// one too.
macro_rules! constants {
    ($($name:ident)*) => {$(
        println!("constant {} {} {}", stringify!($name), $name as i64, size_of_val(&$name));
    )*};
}

macro_rules! keys {
    ($($name:ident)*) => {$(
        println!("key {} {} {}", stringify!($name), text(&$name.fmtid), $name.pid);
    )*};
}

macro_rules! guids {
    ($($name:ident)*) => {$(
        println!("guid {} {}", stringify!($name), text(&$name));
    )*};
}

macro_rules! functions {
    ($($name:ident $count:ident)*) => {$({
        const SIZES: &[usize] = &$count($name);
        println!("function {} {:?}", stringify!($name), SIZES);
    })*};
}

fn text(guid: &GUID) -> String {
    let rest: String = guid
        .data4
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let (head, tail) = rest.split_at(4);
    format!(
        "{:08x}-{:04x}-{:04x}-{head}-{tail}",
        guid.data1, guid.data2, guid.data3
    )
}

/// The size of each parameter of a function with so many, and after them that of what it returns.
macro_rules! parameters {
    ($($function:ident $count:literal ($($type:ident)*))*) => {$(
        const fn $function<$($type,)* Answer>(
            _: unsafe extern "system" fn($($type),*) -> Answer,
        ) -> [usize; $count + 1] {
            [$(size_of::<$type>(),)* size_of::<Answer>()]
        }
    )*};
}

parameters! {
    parameters_0 0 ()
    parameters_1 1 (A)
    parameters_2 2 (A B)
    parameters_3 3 (A B C)
    parameters_4 4 (A B C D)
    parameters_5 5 (A B C D E)
    parameters_6 6 (A B C D E F)
    parameters_7 7 (A B C D E F G)
    parameters_8 8 (A B C D E F G H)
    parameters_9 9 (A B C D E F G H I)
    parameters_10 10 (A B C D E F G H I J)
    parameters_11 11 (A B C D E F G H I J K)
    parameters_12 12 (A B C D E F G H I J K L)
    parameters_13 13 (A B C D E F G H I J K L M)
}

/// What the only parameter of a function is; the function itself is never taken, so nothing is
/// linked.
fn first_parameter<Parameter, Answer>(
    _: impl Fn() -> unsafe extern "system" fn(Parameter) -> Answer,
) -> &'static str {
    std::any::type_name::<Parameter>()
}

fn main() {
    // A slip of the metadata that is known: in wlanapi.h a PDOT11_MAC_ADDRESS is a pointer to six
    // bytes.
    println!(
        "type PDOT11_MAC_ADDRESS {}",
        first_parameter(|| -> unsafe extern "system" fn(_) -> _ { WFDUpdateDeviceVisibility })
    );
    include!(env!("QUESTIONS"));
}
