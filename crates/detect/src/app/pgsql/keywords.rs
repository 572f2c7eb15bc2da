//! The keyword of PostgreSQL.

use crate::app::{Family, Field, Keyword, ProtocolId, Sides};

pub(super) const QUERY: Field = Field::new(Family::Pgsql, 0);

pub(super) const KEYWORDS: &[Keyword] =
    &[Keyword::buffer("pgsql.query", QUERY, Sides::ToServer, &[ProtocolId::Pgsql])];
