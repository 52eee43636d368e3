use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::Json;

/// The name of a member, borrowed where the document allows.
pub(super) struct Member<'de>(pub(super) Cow<'de, str>);

impl<'de> Deserialize<'de> for Member<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl<'de> Visitor<'de> for Name {
            type Value = Member<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member's name")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Member(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Member(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Name)
    }
}

/// An array of messages.
pub(super) struct Many<T>(pub(super) Vec<T>);

impl<'de, T> Deserialize<'de> for Many<T>
where
    Json<T>: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);
        impl<'de, T> Visitor<'de> for Items<T>
        where
            Json<T>: Deserialize<'de>,
        {
            type Value = Many<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of messages")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(Json(item)) = array.next_element()? {
                    items.push(item);
                }
                Ok(Many(items))
            }
        }
        deserializer.deserialize_seq(Items(PhantomData))
    }
}

/// An array of scalars.
pub(super) struct Scalars<W>(pub(super) Vec<W>);

impl<'de, W: Deserialize<'de>> Deserialize<'de> for Scalars<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self)
    }
}

/// Reads a message: each member's names, how its value is written, and where it goes.
///
/// `null` leaves a member out, a member that comes again replaces what came before, other members are skipped.
macro_rules! message {
    ($type:ty, $what:literal, |$message:ident, $value:ident| { $($($name:literal)|+ : $wire:ty => $set:expr;)* }) => {
        impl<'de> serde::de::Deserialize<'de> for $crate::json::Json<$type> {
            fn deserialize<D: serde::de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Members;
                impl<'de> serde::de::Visitor<'de> for Members {
                    type Value = $crate::json::Json<$type>;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("an object with the members of a ", $what))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                        let mut $message = <$type>::default();
                        while let Some($crate::json::message::Member(name)) = members.next_key()? {
                            match name.as_ref() {
                                $($($name)|+ => if let Some(read) = members.next_value::<Option<$wire>>()? {
                                    let $value = read.0;
                                    $set;
                                },)*
                                _ => {
                                    members.next_value::<serde::de::IgnoredAny>()?;
                                }
                            }
                        }
                        Ok($crate::json::Json($message))
                    }
                }
                deserializer.deserialize_map(Members)
            }
        }
    };
}

pub(super) use message;
