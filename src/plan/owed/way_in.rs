//! What is made so that clients get in from outside, and what of it goes again.

use kube::ResourceExt;

use super::Planner;
use crate::{
    api::Mode,
    plan::{Child, Inputs, Kind, Step, gateway, ingress, route},
};

impl Planner<'_> {
    /// What is asked for first, and then what is not asked for any more. A host that is another's is not asked for.
    pub(super) fn way_in(&self, inputs: &Inputs<'_>) -> Vec<Step> {
        let networking = &self.instance.spec.networking;
        let asked = Some(networking.way_in()).filter(|_| self.world.exposure.conflict.is_none());
        let mut steps = Vec::new();
        if asked == Some(Mode::Ingress) {
            let wanted = networking.ingress.clone().unwrap_or_default();
            steps.push(Step::Ensure(Child::Ingress(Box::new(ingress::ingress(inputs, &wanted)))));
        } else {
            steps.push(Step::Remove(Kind::Ingress, inputs.names.way_in()));
        }
        let routed = matches!(asked, Some(Mode::Shared | Mode::OwnGateway));
        let class = networking.gateway_class_name.as_deref();
        match class.filter(|_| asked == Some(Mode::OwnGateway) && self.world.exposure.has_gateways)
        {
            Some(class) => {
                steps.push(Step::Ensure(Child::Gateway(Box::new(gateway::gateway(inputs, class)))));
            }
            None if asked != Some(Mode::OwnGateway) => {
                steps.push(Step::Remove(Kind::Gateway, inputs.names.way_in()));
            }
            None => {}
        }
        steps.extend(self.routes(inputs, routed));
        steps
    }

    /// A route whose Gateway is away for a moment stays: it leads nowhere anyway, or still to where it did.
    fn routes(&self, inputs: &Inputs<'_>, routed: bool) -> Vec<Step> {
        let exposure = &self.world.exposure;
        let ways = exposure.ways.iter().filter(|_| routed && exposure.has_routes);
        let (mut kept, mut steps) = (Vec::new(), Vec::new());
        for (purpose, host, way) in ways {
            if way.listeners.is_empty() {
                kept.extend([inputs.names.route(*purpose), inputs.names.redirect(*purpose)]);
                continue;
            }
            let made = route::routes(inputs, *purpose, host, way);
            kept.extend(made.iter().map(ResourceExt::name_any));
            steps.extend(made.into_iter().map(|it| Step::Ensure(Child::Route(Box::new(it)))));
        }
        let found = self.world.children.routes.iter().map(|it| it.name_any());
        let over = found.filter(|name| !kept.contains(name));
        steps.extend(over.map(|name| Step::Remove(Kind::Route, name)));
        steps
    }
}
