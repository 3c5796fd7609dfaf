//! A watch of a kind that the cluster may lose. Whoever removes a definition takes every object of its kind away, and the API
//! server leaves the watch of it open for minutes after that (seen with 1.36): nothing would be told.

use std::{collections::HashSet, time::Duration};

use futures::{Stream, StreamExt, stream};
use kube::{
    Resource,
    runtime::{reflector::ObjectRef, watcher},
};
use tokio::time::{Instant, sleep_until};

/// The API server looks whether every object is gone every 5 s, and takes the definition away then.
const MOMENT: Duration = Duration::from_secs(10);

/// What is known of the objects, and when to look again whether there is such a kind at all.
struct Watched<K: Resource<DynamicType = ()>, W> {
    watch: W,
    known: HashSet<ObjectRef<K>>,
    again: Option<Instant>,
}

/// Up to a moment after the last object has gone: a list says then whether its kind has gone, too.
pub(super) fn until_emptied<K, W>(
    watch: W,
) -> impl Stream<Item = Result<watcher::Event<K>, watcher::Error>>
where
    K: Resource<DynamicType = ()>,
    W: Stream<Item = Result<watcher::Event<K>, watcher::Error>> + Unpin,
{
    let watched = Watched { watch, known: HashSet::new(), again: None };
    stream::unfold(watched, |mut it| async move {
        let event = match it.again {
            None => it.watch.next().await,
            Some(again) => tokio::select! {
                event = it.watch.next() => event,
                () = sleep_until(again) => None,
            },
        }?;
        if let Ok(event) = &event {
            it.heed(event);
        }
        Some((event, it))
    })
}

impl<K: Resource<DynamicType = ()>, W> Watched<K, W> {
    fn heed(&mut self, event: &watcher::Event<K>) {
        match event {
            watcher::Event::Init => self.known.clear(),
            watcher::Event::Apply(object) | watcher::Event::InitApply(object) => {
                self.known.insert(ObjectRef::from_obj(object));
                self.again = None;
            }
            watcher::Event::Delete(object) => {
                self.known.remove(&ObjectRef::from_obj(object));
                self.again = self.known.is_empty().then(|| Instant::now() + MOMENT);
            }
            watcher::Event::InitDone => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::api::ObjectMeta;
    use watcher::Event::{Apply, Delete, Init, InitApply, InitDone};

    use super::*;

    fn object(name: &str) -> ConfigMap {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        ConfigMap { metadata, ..ConfigMap::default() }
    }

    /// Whether a watch that tells this and then nothing more comes to an end by itself, and how many events it has told.
    async fn ends(events: Vec<watcher::Event<ConfigMap>>) -> (bool, usize) {
        let watch = stream::iter(events.into_iter().map(Ok)).chain(stream::pending());
        let mut watch = std::pin::pin!(until_emptied(watch));
        let mut told = 0;
        loop {
            match tokio::time::timeout(2 * MOMENT, watch.next()).await {
                Ok(Some(_)) => told += 1,
                Ok(None) => return (true, told),
                Err(_) => return (false, told),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_begun_anew_once_the_last_object_has_gone() {
        let (a, b) = (|| object("a"), || object("b"));
        let both = || vec![Init, InitApply(a()), InitDone, Apply(b())];
        let with = |more: Vec<_>| [both(), more].concat();
        assert_eq!(ends(with(vec![Delete(a()), Delete(b())])).await, (true, 6));
        assert_eq!(ends(with(vec![Delete(a())])).await, (false, 5), "one is left");
        let back = vec![Delete(a()), Delete(b()), Apply(a())];
        assert_eq!(ends(with(back)).await, (false, 7), "one has come");
    }

    #[tokio::test(start_paused = true)]
    async fn a_kind_that_has_no_objects_is_not_listed_again_and_again() {
        assert_eq!(ends(vec![Init, InitDone]).await, (false, 2));
    }
}
