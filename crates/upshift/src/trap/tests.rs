//! Tests of `trap`.
