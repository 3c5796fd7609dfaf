use super::*;

fn at(url: &str, namespace: &str) -> Identity {
    let encryption = Encryption { required: true, authorities: false };
    let url = DatabaseUrl::read(Engine::Postgres, url, encryption).unwrap();
    Identity::of(&url, namespace, "dev")
}

#[test]
fn a_service_is_the_same_server_by_each_of_its_names_and_whoever_logs_in() {
    let here = at("postgresql://a:b@pg-rw", "shop");
    for url in [
        "postgresql://c:d@pg-rw.shop:5432",
        "postgresql://a:b@PG-rw.shop.svc",
        "postgres://a:b@pg-rw.shop.svc.cluster.local/app?connect_timeout=5",
        "postgres://a:b@pg-rw.shop.svc.cluster.local.",
    ] {
        assert_eq!(at(url, "other"), here, "{url}");
    }
    assert_ne!(at("postgresql://a:b@pg-rw", "other"), here);
    let public = |domain: &str| at(&format!("postgresql://a:b@orders.svc.{domain}"), "shop");
    assert_ne!(public("prod.example.com"), public("staging.example.com"));
    assert_ne!(at("postgresql://a:b@pg-rw:6432", "shop"), here);
    let outside = at("postgresql://a:b@db.example.com", "shop");
    assert_eq!(at("postgresql://a:b@DB.example.com:5432/x", "other"), outside);
}

#[test]
fn who_is_of_another_namespace_is_not_named() {
    let (namespace, name) = ("shop".to_owned(), "orders".to_owned());
    let other = Other { namespace, name, uid: "uid".to_owned(), elder: None };
    assert_eq!(whose(Some(&other), "shop"), "ConvexInstance \"orders\"");
    assert_eq!(whose(Some(&other), "elsewhere"), "another ConvexInstance");
    assert_eq!(whose(None, "shop"), "another ConvexInstance");
}

#[test]
fn of_two_that_ask_at_once_one_gets_it_until_it_goes_or_has_another() {
    let memory = crate::context::Memory::default();
    let (one, other) = (at("postgres://a:b@one", "shop"), at("postgres://a:b@other", "shop"));
    assert!(memory.takes("a", &one) && memory.takes("a", &one));
    assert!(!memory.takes("b", &one));
    assert!(memory.takes("a", &other) && memory.takes("b", &one));
    memory.forget("b");
    assert!(memory.takes("c", &one) && !memory.takes("c", &other));
    // A late pass of one that is gone has taken it again.
    assert!(!memory.takes("d", &one));
    memory.frees(|of| of != "c");
    assert!(memory.takes("d", &one) && !memory.takes("d", &other));
    memory.leaves("d");
    assert!(memory.takes("e", &one));
}

#[test]
fn what_a_backend_was_given_tells_its_server_by_either_engine() {
    let host = |key: &str, text: &str| {
        let url = url(&Values::default().with(key, text));
        url.map(|it| it.address()).unwrap_or_default()
    };
    assert_eq!(host("POSTGRES_URL", "postgresql://a:b@pg"), "pg:5432");
    assert_eq!(host("MYSQL_URL", "mysql://a:b@my"), "my:3306");
    assert_eq!(host("POSTGRES_URL", "nonsense"), "");
}
