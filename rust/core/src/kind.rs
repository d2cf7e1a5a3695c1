//! One list for each kind (activations, losses, …): the name of each entry, and its type.
//!
//! From a list of `file::{Type => "name"}`, `kind!` makes
//! - an enum with one variant for each entry,
//! - its JSON form, `{"name": …, fields}` (or `{"kind": …, fields}`),
//! - the list of names,
//! - a macro that evaluates one expression on the entry of a value. Generic code is compiled for each entry, which a
//!   trait object could not offer.

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

            /// The type of this entry, as users write it.
            pub fn type_name(&self) -> &'static str {
                match self {
                    $($($(#[$also])* Self::$Type(_) => stringify!($Type),)+)+
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
