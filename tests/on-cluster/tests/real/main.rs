//! What only a node that really runs pods can prove.
