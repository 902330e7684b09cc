//! The kinds of arguments: how each one is drawn is in `draw.rs`.

/// Types of objects: first the views, which are private, then those in shared memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    Region,
    Member,
    Queue,
    Reserved,
    Peeked,
    Pipe,
    Connection,
    Spsc,
    Producer,
    Consumer,
    Tracked,
    Barrier,
    Value,
    Array,
    List,
    Dict,
    Namespace,
    /// Of these three none is ever alive: a program under test starts no processes.
    Process,
    Forkserver,
    Pool,
    Lock,
    Rlock,
    Event,
    Semaphore,
    Condition,
}

impl What {
    pub const VIEWS: [What; 20] = {
        use What::*;
        [
            Region, Member, Queue, Reserved, Peeked, Pipe, Connection, Spsc, Producer, Consumer, Tracked,
            Barrier, Value, Array, List, Dict, Namespace, Process, Forkserver, Pool,
        ]
    };
    pub const EMBEDDABLE: [What; 5] =
        [What::Lock, What::Rlock, What::Event, What::Semaphore, What::Condition];

    /// Views that hold something, which an overwritten or lost view would hold for ever; they end when moved.
    pub fn is_owner(self) -> bool {
        use What::*;
        matches!(
            self,
            Region
                | Member
                | Reserved
                | Peeked
                | Connection
                | Producer
                | Consumer
                | Process
                | Forkserver
                | Pool
        )
    }
    /// Views whose calls wait for an object's lock as long as it takes, unless told otherwise.
    pub fn is_state(self) -> bool {
        use What::*;
        matches!(self, Value | Array | List | Dict | Namespace)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A view that is used, mostly one that is alive.
    View(What),
    /// As `View`, one that is changed: not while a call on it is under way.
    Change(What),
    /// A view that ends if the call succeeds.
    End(What),
    /// A view that is made.
    New(What),
    /// An embeddable object.
    Cell(What),
    /// As `Cell`, one that nobody has locked.
    Fresh(What),
    /// Gets the address of an embeddable object in a region.
    Found(What),
    /// An out-parameter: untouched unless the call succeeds.
    Out,
    /// One that may be NULL.
    OutOrNull,
    /// One that is read too, or may be overwritten in any case: pointer only.
    InOut,
    TicketOut,
    PermitOut,
    Ticket,
    Permit,
    /// A name of an object in a region, mostly this one; of one that is removed.
    Name(&'static str),
    Removed,
    /// A name of a region in /dev/shm; of an attribute; any other string.
    File,
    Attribute,
    String,
    /// Bytes to be read, and a buffer; then, once for one or more of them, their length.
    From,
    To,
    ToOrNull,
    /// Read, and written besides.
    Expected,
    Len,
    /// Structures with bytes in them; arrays for results; then how many.
    Messages,
    Pairs,
    Results,
    Count,
    /// Of arrays: type, size of an element, how many elements, and as many.
    Type,
    Size,
    Elements,
    Initial,
    FromElements,
    ToElements,
    /// Configurations.
    RegionConfig,
    QueueConfig,
    PipeConfig,
    SpscConfig,
    ProcessConfig,
    PoolConfig,
    /// A region's memory and its size; the size of a region that is to be made.
    Memory,
    MemoryBytes,
    RegionBytes,
    Number,
    /// Mostly this one.
    Mostly(u32),
    Bool,
    F64,
    /// A short one, or of a call that nobody holds up, also a long one.
    Timeout,
    Patience,
    /// Descriptors: to be signalled, and of a region.
    SignalFd,
    RegionFd,
    Callback,
    Context,
    /// The edit under way.
    Edit,
    /// Functions of a worker; how many of them is `Count`.
    Functions,
    /// NULL, which is refused.
    Null,
}
