//! One list a kind: the names that can be asked for, and what each is.
//!
//! `kind!` turns a list of `file::{Type => "name"}` into an enum with one variant an entry, its JSON form
//! `{"name": …, fields}` (or `{"kind": …, fields}`), the list of names, and a macro that runs one expression on whichever entry is there
//! (so that generic code is compiled for each entry, which a trait object could not do).

macro_rules! kind {
    (
        $(#[$attribute:meta])*
        $Kind:ident by $tag:literal, $each:ident, ($d:tt) {
            $($(#[$only:meta])* $file:ident::{$($(#[$also:meta])* $Type:ident => $name:literal),+ $(,)?}),+ $(,)?
        }
    ) => {
        $($(#[$only])* mod $file;)+
        $($($(#[$also])* pub use $file::$Type;)+)+

        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = $tag)]
        #[allow(missing_docs, reason = "each entry is described by its type")]
        pub enum $Kind {
            $($($(#[$also])* #[serde(rename = $name)] $Type($Type),)+)+
        }

        impl $Kind {
            /// Every name in the list.
            pub const NAMES: &'static [&'static str] = &[$($($(#[$also])* $name),+),+];

            /// The name of this entry.
            pub fn name(&self) -> &'static str {
                match self {
                    $($($(#[$also])* Self::$Type(_) => $name,)+)+
                }
            }
        }

        #[allow(unused_macros, reason = "not every kind is dispatched this way")]
        macro_rules! $each {
            ($d value:expr, $d entry:ident => $d body:expr) => {
                match $d value {
                    $($($(#[$also])* $Kind::$Type($d entry) => $d body,)+)+
                }
            };
        }
        #[allow(unused_imports, reason = "not every kind is dispatched this way")]
        pub(crate) use $each;
    };
}
pub(crate) use kind;
