//! Setters of the option structs, by kind of field. The name is that of the field, but for the unit of durations.

macro_rules! counts {
    ($($(#[doc = $doc:literal])* $name:ident;)*) => {
        $($(#[doc = $doc])*
        pub fn $name(mut self, value: u64) -> Self {
            self.raw.$name = crate::text::count(value);
            self
        })*
    };
}

macro_rules! durations {
    ($($(#[doc = $doc:literal])* $name:ident => $field:ident;)*) => {
        $($(#[doc = $doc])*
        pub fn $name(mut self, value: std::time::Duration) -> Self {
            self.raw.$field = crate::text::milliseconds(value);
            self
        })*
    };
}

macro_rules! flags {
    ($($(#[doc = $doc:literal])* $name:ident;)*) => {
        $($(#[doc = $doc])*
        pub fn $name(mut self, is_on: bool) -> Self {
            self.raw.$name = u8::from(is_on); // HC_ON, HC_OFF
            self
        })*
    };
}

macro_rules! texts {
    ($text:ty; $($(#[doc = $doc:literal])* $name:ident;)*) => {
        $($(#[doc = $doc])*
        pub fn $name(mut self, value: impl Into<$text>) -> Self {
            self.raw.$name = self.kept.text(value.into());
            self
        })*
    };
}

macro_rules! paths {
    ($($(#[doc = $doc:literal])* $name:ident;)*) => {
        $($(#[doc = $doc])*
        pub fn $name(mut self, path: impl AsRef<std::path::Path>) -> Self {
            self.raw.$name = self.kept.path(path.as_ref());
            self
        })*
    };
}
