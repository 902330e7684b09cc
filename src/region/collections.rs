//! The collections of a region: lists, dicts and namespaces, made and opened by name. As with values, nobody has
//! anything of them in hand; their lock tells the next owner.

use super::{Region, directory::Kind};
use crate::{
    dict::{Dict, DictConfig},
    error::{Error, Result},
    list::{List, ListConfig},
    namespace::{Namespace, NamespaceConfig},
    sys::Platform,
    time::FOREVER,
};

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
        self.create(name, Kind::List, config.layout()?, timeout_ns, |at| {
            // SAFETY: as `create` says; a region in which this thread holds a lock stays mapped.
            unsafe { List::format(self.platform, at, config) }
        })
    }

    /// The list of that name. Never blocks. Errors: as [`Region::open_queue`].
    pub fn open_list(&self, name: &str) -> Result<List<'_, P>> {
        let place = self.directory().find(name, Kind::List)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { List::attach(self.platform, self.at(place), place.size) }
    }

    /// As [`Region::open_list`], but `WrongKind` unless the list was created with these parameters.
    pub fn open_list_as(&self, name: &str, config: &ListConfig) -> Result<List<'_, P>> {
        let list = self.open_list(name)?;
        if list.config() == *config { Ok(list) } else { Err(Error::WrongKind) }
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
        self.create(name, Kind::Dict, config.layout()?, timeout_ns, |at| {
            // SAFETY: as `create` says; a region in which this thread holds a lock stays mapped.
            unsafe { Dict::format(self.platform, at, config) }
        })
    }

    /// The dict of that name. Never blocks. Errors: as [`Region::open_queue`].
    pub fn open_dict(&self, name: &str) -> Result<Dict<'_, P>> {
        let place = self.directory().find(name, Kind::Dict)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { Dict::attach(self.platform, self.at(place), place.size) }
    }

    /// As [`Region::open_dict`], but `WrongKind` unless the dict was created with these parameters.
    pub fn open_dict_as(&self, name: &str, config: &DictConfig) -> Result<Dict<'_, P>> {
        let dict = self.open_dict(name)?;
        if dict.config() == *config { Ok(dict) } else { Err(Error::WrongKind) }
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
        self.create(name, Kind::Namespace, config.layout()?, timeout_ns, |at| {
            // SAFETY: as `create` says; a region in which this thread holds a lock stays mapped.
            unsafe { Namespace::format(self.platform, at, config) }
        })
    }

    /// The namespace of that name. Never blocks. Errors: as [`Region::open_queue`].
    pub fn open_namespace(&self, name: &str) -> Result<Namespace<'_, P>> {
        let place = self.directory().find(name, Kind::Namespace)?;
        // SAFETY: the place lies in the region, which outlives the handle.
        unsafe { Namespace::attach(self.platform, self.at(place), place.size) }
    }

    /// As [`Region::open_namespace`], but `WrongKind` unless the namespace was created with these parameters.
    pub fn open_namespace_as(&self, name: &str, config: &NamespaceConfig) -> Result<Namespace<'_, P>> {
        let namespace = self.open_namespace(name)?;
        if namespace.config() == *config { Ok(namespace) } else { Err(Error::WrongKind) }
    }
}
