//! C programs against the header; see build and tests beside this file.
