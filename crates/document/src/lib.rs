//! The documents' JSON form: schemas, source spans, canonical hash
