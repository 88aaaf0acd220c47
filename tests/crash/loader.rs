//! Shared objects, loaded at run time as a C program would be: every symbol bound before
//! the first call.

use std::ffi::{CStr, CString, c_void};
use std::path::Path;

/// A shared object. It stays loaded.
pub(crate) struct Library(*mut c_void);

impl Library {
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let name = CString::new(path.as_os_str().as_encoded_bytes()).map_err(|e| e.to_string())?;
        // SAFETY: a NUL-terminated path; the library is never unloaded.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if handle.is_null() { Err(error()) } else { Ok(Self(handle)) }
    }

    /// The address of a symbol, whose name ends with NUL.
    pub(crate) fn symbol(&self, name: &str) -> Result<*mut c_void, String> {
        // SAFETY: a live library and a NUL-terminated name.
        let address = unsafe { libc::dlsym(self.0, name.as_ptr().cast()) };
        if address.is_null() { Err(error()) } else { Ok(address) }
    }
}

fn error() -> String {
    // SAFETY: dlerror returns NULL or a string that lasts until the next call.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "the dynamic loader gave no reason".into();
    }
    // SAFETY: as above.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// A structure of functions, and how they are found in a library: by a prefix and their
/// names.
macro_rules! functions {
    (
        $(#[$doc:meta])*
        $structure:ident, $prefix:literal;
        $($name:ident($($argument:ty),*) -> $result:ty;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $structure {
            $(pub(crate) $name: unsafe extern "C" fn($($argument),*) -> $result,)*
        }

        impl $structure {
            fn bind(library: &$crate::loader::Library) -> Result<Self, String> {
                Ok(Self { $($name: {
                    let address = library.symbol(concat!($prefix, stringify!($name), "\0"))?;
                    // SAFETY: the declaration agrees with the one in C.
                    unsafe { std::mem::transmute::<*mut std::ffi::c_void, unsafe extern "C" fn($($argument),*) -> $result>(address) }
                },)* })
            }
        }
    };
}
pub(crate) use functions;
