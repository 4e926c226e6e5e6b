//! The file of a recording, as long as it holds whole chunks only.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write};

/// Where the bytes of a recording go.
pub(crate) trait Storage: Send {
    /// Appends all of the bytes, or an unknown part of them and says why.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Cuts off what is beyond `length` bytes; the next append goes there.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Storage for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.seek(SeekFrom::Start(length)).map(drop)
    }
}

/// Writes blocks of bytes one after the other. One that does not fit leaves nothing behind, and can be tried again.
pub(crate) struct Disk {
    storage: Box<dyn Storage>,
    /// Bytes of the blocks that are written.
    length: u64,
    /// Something that does not belong to it may be left beyond `length`: a part of a block, or what was there before.
    is_torn: bool,
}

impl Disk {
    pub(crate) fn new(storage: Box<dyn Storage>) -> Self {
        Self {
            storage,
            length: 0,
            is_torn: false,
        }
    }

    /// Over what the storage holds: that is kept until the first block is written.
    pub(crate) fn over(storage: Box<dyn Storage>) -> Self {
        Self {
            is_torn: true,
            ..Self::new(storage)
        }
    }

    /// Writes one block whole.
    pub(crate) fn write(&mut self, block: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.storage.cut(self.length)?;
            self.is_torn = false;
        }
        let written = self.storage.append(block);
        match &written {
            Ok(()) => self.length += block.len() as u64,
            Err(_) => self.is_torn = self.storage.cut(self.length).is_err(),
        }
        written
    }

    /// Bytes written.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }
}
