//! The macros in which ffi.rs is written. Each declares, and lists what it declared, so that a test can compare all of
//! it with the C header.

/// A struct as the compiler lays it out.
#[derive(Debug)]
pub struct Struct {
    pub name: &'static str,
    pub size: usize,
    pub fields: Vec<Field>,
}

#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub kind: &'static str,
    pub offset: usize,
    pub size: usize,
}

/// A function, or the type of a callback.
#[derive(Debug)]
pub struct Function {
    pub name: &'static str,
    pub parameters: Vec<&'static str>,
    /// Empty: nothing.
    pub returns: &'static str,
}

macro_rules! constants {
    ($($name:ident: $kind:ty = $value:expr;)*) => {
        $(pub const $name: $kind = $value;)*

        /// The constants, with their values.
        #[doc(hidden)]
        pub fn constants() -> Vec<(&'static str, i128)> {
            vec![$((stringify!($name), i128::from($name)),)*]
        }
    };
}

macro_rules! aliases {
    ($($name:ident = $kind:ty;)*) => {
        $(pub type $name = $kind;)*

        /// The other names of plain types, with these.
        #[doc(hidden)]
        pub fn aliases() -> Vec<(&'static str, &'static str)> {
            vec![$((stringify!($name), stringify!($kind)),)*]
        }
    };
}

macro_rules! handles {
    ($($name:ident;)*) => {
        $(
            /// Opaque: only pointers to it exist.
            #[repr(C)]
            pub struct $name {
                nothing: [u8; 0],
                neither_send_nor_sync: std::marker::PhantomData<(*mut u8, std::marker::PhantomPinned)>,
            }
        )*

        /// Names of the opaque structs.
        #[doc(hidden)]
        pub fn handles() -> Vec<&'static str> {
            vec![$(stringify!($name),)*]
        }
    };
}

macro_rules! structs {
    ($($name:ident { $($field:ident: $kind:ty,)* })*) => {
        $(
            #[repr(C)]
            #[derive(Clone, Copy)]
            pub struct $name {
                $(pub $field: $kind,)*
            }
        )*

        /// The structs, as they lie in memory.
        #[doc(hidden)]
        pub fn structs() -> Vec<crate::declare::Struct> {
            vec![$({
                let place = std::mem::MaybeUninit::<$name>::uninit();
                let start = place.as_ptr();
                crate::declare::Struct {
                    name: stringify!($name),
                    size: std::mem::size_of::<$name>(),
                    fields: vec![$(crate::declare::Field {
                        name: stringify!($field),
                        kind: stringify!($kind),
                        // Safe: no field is read, and none is outside of the struct.
                        offset: unsafe { std::ptr::addr_of!((*start).$field) as usize - start as usize },
                        size: std::mem::size_of::<$kind>(),
                    },)*],
                }
            },)*]
        }
    };
}

macro_rules! callbacks {
    ($($name:ident($($argument:ident: $kind:ty),*) $(-> $returns:ty)?;)*) => {
        $(pub type $name = Option<unsafe extern "C" fn($($argument: $kind),*) $(-> $returns)?>;)*

        /// The types of callbacks.
        #[doc(hidden)]
        pub fn callbacks() -> Vec<crate::declare::Function> {
            vec![$(crate::declare::Function {
                name: stringify!($name),
                parameters: vec![$(stringify!($kind)),*],
                returns: concat!($(stringify!($returns))?),
            },)*]
        }
    };
}

macro_rules! functions {
    ($(fn $name:ident($($argument:ident: $kind:ty),*) $(-> $returns:ty)?;)*) => {
        extern "C" {
            $(pub fn $name($($argument: $kind),*) $(-> $returns)?;)*
        }

        /// The functions.
        #[doc(hidden)]
        pub fn functions() -> Vec<crate::declare::Function> {
            vec![$(crate::declare::Function {
                name: stringify!($name),
                parameters: vec![$(stringify!($kind)),*],
                returns: concat!($(stringify!($returns))?),
            },)*]
        }
    };
}
