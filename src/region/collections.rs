//! The collections of a region: lists, dicts and namespaces, made and opened by name. As with values, nobody has
//! anything of them in hand but their lock, which tells the next owner.

use super::{
    Region,
    directory::Kind,
    object::{Claims, Object},
};
use crate::{
    dict::{Dict, DictConfig},
    error::Result,
    layout::Layout,
    list::{List, ListConfig},
    namespace::{Namespace, NamespaceConfig},
    sys::Platform,
    time::FOREVER,
};
use core::ptr::NonNull;

impl<P: Platform> Region<P> {
    /// Creates a list under a name of 1 to 31 bytes. Waits for others who create, and errors, as
    /// [`Region::create_queue`].
    pub fn create_list(&self, name: &str, config: &ListConfig) -> Result<List<'_, P>> {
        self.create_list_timeout(name, config, FOREVER)
    }

    /// As [`Region::create_list`], waiting at most `timeout_ns` for others: then `TimedOut`.
    pub fn create_list_timeout(
        &self,
        name: &str,
        config: &ListConfig,
        timeout_ns: u64,
    ) -> Result<List<'_, P>> {
        self.make(name, config, timeout_ns)
    }

    /// The list of that name. Never blocks. Errors: as [`Region::open_queue`].
    pub fn open_list(&self, name: &str) -> Result<List<'_, P>> {
        self.find(name)
    }

    /// As [`Region::open_list`], but `WrongKind` unless the list was created with these parameters.
    pub fn open_list_as(&self, name: &str, config: &ListConfig) -> Result<List<'_, P>> {
        self.find_as(name, config)
    }

    /// The list of that name, which is created if there is none. As [`Region::open_or_create_queue`].
    pub fn open_or_create_list(&self, name: &str, config: &ListConfig) -> Result<List<'_, P>> {
        self.find_or_make(name, config)
    }

    /// Creates a dict under a name of 1 to 31 bytes. Waits for others who create, and errors, as
    /// [`Region::create_queue`].
    pub fn create_dict(&self, name: &str, config: &DictConfig) -> Result<Dict<'_, P>> {
        self.create_dict_timeout(name, config, FOREVER)
    }

    /// As [`Region::create_dict`], waiting at most `timeout_ns` for others: then `TimedOut`.
    pub fn create_dict_timeout(
        &self,
        name: &str,
        config: &DictConfig,
        timeout_ns: u64,
    ) -> Result<Dict<'_, P>> {
        self.make(name, config, timeout_ns)
    }

    /// The dict of that name. Never blocks. Errors: as [`Region::open_queue`].
    pub fn open_dict(&self, name: &str) -> Result<Dict<'_, P>> {
        self.find(name)
    }

    /// As [`Region::open_dict`], but `WrongKind` unless the dict was created with these parameters.
    pub fn open_dict_as(&self, name: &str, config: &DictConfig) -> Result<Dict<'_, P>> {
        self.find_as(name, config)
    }

    /// The dict of that name, which is created if there is none. As [`Region::open_or_create_queue`].
    pub fn open_or_create_dict(&self, name: &str, config: &DictConfig) -> Result<Dict<'_, P>> {
        self.find_or_make(name, config)
    }

    /// Creates a namespace under a name of 1 to 31 bytes. Waits for others who create, and errors, as
    /// [`Region::create_queue`].
    pub fn create_namespace(&self, name: &str, config: &NamespaceConfig) -> Result<Namespace<'_, P>> {
        self.create_namespace_timeout(name, config, FOREVER)
    }

    /// As [`Region::create_namespace`], waiting at most `timeout_ns` for others: then `TimedOut`.
    pub fn create_namespace_timeout(
        &self,
        name: &str,
        config: &NamespaceConfig,
        timeout_ns: u64,
    ) -> Result<Namespace<'_, P>> {
        self.make(name, config, timeout_ns)
    }

    /// The namespace of that name. Never blocks. Errors: as [`Region::open_queue`].
    pub fn open_namespace(&self, name: &str) -> Result<Namespace<'_, P>> {
        self.find(name)
    }

    /// As [`Region::open_namespace`], but `WrongKind` unless the namespace was created with these parameters.
    pub fn open_namespace_as(&self, name: &str, config: &NamespaceConfig) -> Result<Namespace<'_, P>> {
        self.find_as(name, config)
    }

    /// The namespace of that name, which is created if there is none. As [`Region::open_or_create_queue`].
    pub fn open_or_create_namespace(&self, name: &str, config: &NamespaceConfig) -> Result<Namespace<'_, P>> {
        self.find_or_make(name, config)
    }
}

macro_rules! collection {
    ($type:ident, $config:ident) => {
        impl<P: Platform> Claims for $type<'_, P> {
            fn is_in_hand(&self) -> bool {
                self.is_locked()
            }
        }

        impl<'r, P: Platform> Object<'r, P> for $type<'r, P> {
            const KIND: Kind = Kind::$type;
            type Config = $config;

            fn layout(config: &$config) -> Result<Layout> {
                config.layout()
            }

            unsafe fn format(region: &'r Region<P>, at: NonNull<u8>, config: &$config) -> Result<Self> {
                // SAFETY: the caller's word.
                let object = unsafe { $type::format(region.platform, at, config) }?;
                Ok(object.counted_in(region.counter()))
            }

            unsafe fn attach(region: &'r Region<P>, at: NonNull<u8>, size: u64) -> Result<Self> {
                // SAFETY: the caller's word.
                let object = unsafe { $type::attach(region.platform, at, size) }?;
                Ok(object.counted_in(region.counter()))
            }

            fn has(&self, config: &$config) -> bool {
                self.config() == *config
            }
        }
    };
}
collection!(List, ListConfig);
collection!(Dict, DictConfig);
collection!(Namespace, NamespaceConfig);
