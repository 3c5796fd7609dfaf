//! What is kept of a database on a server for people to go back with: nothing goes back to it by itself.

use statemachine::pins::Upgrade;

use super::short;
use crate::{
    api::ConvexInstance,
    observe::World,
    status::account::upgrade::{is_there, way_back},
};

/// How to go back by hand to what an upgrade has come from; none where that is the operator's to do.
pub(super) fn told(instance: &ConvexInstance, world: &World, upgrade: &Upgrade) -> Option<String> {
    let db = &instance.spec.backend.db;
    let server = db.is_server() && !db.makes_databases() && upgrade.overwritten();
    let (from, to) = (short(&upgrade.from.release.version), short(&upgrade.to.release.version));
    let kept = way_back(instance, upgrade, world).filter(|_| is_there(upgrade, world));
    let kept = kept.filter(|_| server)?;
    Some(format!(
        "{from} is not put back into the database, which was given to {to} and may have been migrated. The data as {from} left it is kept: {kept}. Go on with {to} or a later version; or set spec.backend.db.createDatabase to IfMissing, where the user of the URL may create databases, and put spec.version back; or create an instance of {from} on a new database, deploy the functions there and import that export."
    ))
}
