//! Tests of `module`.
