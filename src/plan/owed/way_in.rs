//! What is made so that clients get in from outside, and what of it goes again.

use kube::ResourceExt;

use super::Planner;
use crate::{
    api::Mode,
    plan::{Child, Inputs, Kind, Step, client_settings, gateway, ingress, route},
};

impl Planner<'_> {
    /// What is asked for first, and then what is not asked for any more. A host that is another's is not asked for.
    pub(super) fn way_in(&self, inputs: &Inputs<'_>) -> Vec<Step> {
        let networking = &self.instance.spec.networking;
        let hosts = &self.world.exposure.hosts;
        let asked = Some(networking.way_in()).filter(|_| !hosts.is_empty());
        let mut steps = Vec::new();
        if asked == Some(Mode::Ingress) {
            let wanted = networking.ingress.clone().unwrap_or_default();
            steps.push(Step::Ensure(Child::Ingress(Box::new(ingress::ingress(
                inputs, &wanted, hosts,
            )))));
        } else {
            steps.push(Step::Remove(Kind::Ingress, inputs.names.way_in()));
        }
        let routed = matches!(asked, Some(Mode::Shared | Mode::OwnGateway));
        let class = networking.gateway_class_name.as_deref();
        match class.filter(|_| asked == Some(Mode::OwnGateway) && self.world.exposure.has_gateways)
        {
            Some(class) => {
                steps.push(Step::Ensure(Child::Gateway(Box::new(gateway::gateway(
                    inputs, class, hosts,
                )))));
            }
            None if asked != Some(Mode::OwnGateway) => {
                steps.push(Step::Remove(Kind::Gateway, inputs.names.way_in()));
            }
            None => {}
        }
        steps.extend(self.routes(inputs, routed));
        steps.extend(self.policies(inputs, routed));
        steps
    }

    /// Beside the routes that they are about.
    fn policies(&self, inputs: &Inputs<'_>, routed: bool) -> Vec<Step> {
        let exposure = &self.world.exposure;
        let of = exposure.ways.iter().filter(|_| routed && exposure.takes_policies);
        let of = of.filter(|(_, _, way)| !way.listeners.is_empty());
        let made: Vec<_> =
            of.filter_map(|(purpose, ..)| client_settings::policy(inputs, *purpose)).collect();
        let kept: Vec<_> = made.iter().map(ResourceExt::name_any).collect();
        let made = made.into_iter().map(|it| Step::Ensure(Child::Policy(Box::new(it))));
        let mut steps: Vec<_> = made.collect();
        let found = self.world.children.policies.iter().map(|it| it.name_any());
        let over = found.filter(|name| !kept.contains(name));
        steps.extend(over.map(|name| Step::Remove(Kind::Policy, name)));
        steps
    }

    fn routes(&self, inputs: &Inputs<'_>, routed: bool) -> Vec<Step> {
        let exposure = &self.world.exposure;
        if !exposure.has_routes {
            return Vec::new();
        }
        let ways = if routed { &exposure.ways[..] } else { &[] };
        let led = ways.iter().filter(|(.., way)| !way.listeners.is_empty());
        let led = led.map(|(purpose, host, way)| route::route(inputs, *purpose, host, way));
        let made: Vec<_> = led.chain(route::redirect(inputs, ways)).collect();
        let kept: Vec<_> = made.iter().map(ResourceExt::name_any).collect();
        let made = made.into_iter().map(|it| Step::Ensure(Child::Route(Box::new(it))));
        let mut steps: Vec<_> = made.collect();
        let found = self.world.children.routes.iter().map(|it| it.name_any());
        let over = found.filter(|name| !kept.contains(name));
        steps.extend(over.map(|name| Step::Remove(Kind::Route, name)));
        steps
    }
}
