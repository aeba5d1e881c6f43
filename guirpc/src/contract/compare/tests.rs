//! Differences, as they are found between two documents.
