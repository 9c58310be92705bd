//! Which URLs are taken, and which hosts are not called.

use std::time::Duration;

use super::*;

fn settings(hosts: &[&str], allow_private: bool) -> config::Hooks {
    config::Hooks {
        allowed_hosts: hosts
            .iter()
            .map(|host| (*host).to_owned().try_into().unwrap())
            .collect(),
        allow_private,
        timeout: Duration::from_secs(2),
        retry_for: Duration::from_secs(10),
    }
}

fn defaults() -> config::Hooks {
    let config = config::load(None, std::iter::empty(), Vec::new());
    config.unwrap().hooks
}

/// What the platform sends.
const REAL: &str = "https://prod-03.westus.logic.azure.com:443/workflows/c4ed9335bc864140a11f4508d19acea3/triggers/manual/run?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=hush";

#[test]
fn the_platforms_own_urls_are_taken_as_they_are() {
    let taken = CallbackUrl::check(REAL, &defaults()).unwrap();
    assert_eq!(taken.reveal(), REAL.replace(":443", ""));
    for text in [
        "https://default1.2.environment.api.powerplatform.com/powerautomate/x?sig=1",
        "https://unitedstates.api.gov.powerplatform.microsoft.us/x",
        "https://prod-00.usgovtexas.logic.azure.us:443/workflows/x",
        "https://prod-00.chinaeast2.logic.azure.cn:443/workflows/x",
        "HTTPS://PROD-03.WESTUS.LOGIC.AZURE.COM/x",
        "https://europe-002.azure-apim.net/apim/x",
        "https://a.%6cogic.azure.com/x",
    ] {
        assert!(CallbackUrl::check(text, &defaults()).is_ok(), "{text}");
    }
}

#[test]
fn other_hosts_and_other_forms_are_refused_without_being_quoted() {
    for text in [
        "",
        "hush",
        "//prod-03.westus.logic.azure.com/hush",
        "http://prod-03.westus.logic.azure.com/hush",
        "ftp://prod-03.westus.logic.azure.com/hush",
        "file:///etc/hush",
        "data:text/plain,hush",
        "javascript:hush()",
        "https://",
        "https:///hush",
        // Hosts that only look like one of the list.
        "https://logic.azure.com/hush",
        "https://evil-logic.azure.com/hush",
        "https://evillogic.azure.com/hush",
        "https://a.logic.azure.com.hush.com/",
        "https://hush.com/?a.logic.azure.com",
        "https://hush.com/a.logic.azure.com",
        "https://hush.com#a.logic.azure.com",
        "https://a.logic.azure.com@hush.com/",
        "https://a.logic.azure.com:443@hush.com/",
        "https://hush.com\\.logic.azure.com/",
        "https://hush.com\\@a.logic.azure.com/",
        "https://hush.com%2f.logic.azure.com/",
        "https://a.logic.azure.com./hush",
        "https://a.logic.azure.com../hush",
        "https://a.l\u{f6}gic.azure.com/hush",
        "https://a.logic\u{3002}azure.com/hush",
        // What a parser would strip.
        " https://a.logic.azure.com/hush",
        "https://a.logic.azure.com/hush\n",
        "https://a.logic.azure.com/hu\tsh",
        "ht\ntps://a.logic.azure.com/hush",
        "https://a.logic.azure.com/h\u{fc}sh",
        // Users, fragments, ports.
        "https://hush@a.logic.azure.com/",
        "https://hush:hush@a.logic.azure.com/",
        "https://:hush@a.logic.azure.com/",
        "https://a.logic.azure.com/#hush",
        "https://a.logic.azure.com:8443/hush",
        "https://a.logic.azure.com:22/hush",
        "https://a.logic.azure.com:0/hush",
        "https://a.logic.azure.com:99999/hush",
        // Too long.
        &format!("https://a.logic.azure.com/{}hush", "a".repeat(4000)),
    ] {
        let error = CallbackUrl::check(text, &defaults()).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidRequest, "{text}");
        assert_eq!(error.field(), Some("callback_url"), "{text}");
        let told = format!("{error} {error:?} {}", error.log_detail());
        assert!(!told.contains("hush"), "{told}");
        assert!(error.to_string().ends_with('.'), "{error}");
    }
}

#[test]
fn addresses_of_numbers_are_refused_in_every_form_even_where_any_host_is_allowed() {
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "017700000001",
        "0177.0.0.1",
        "0",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "\u{ff11}27.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "8.8.8.8",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:ffff:7f00:1]",
        "[fd00::1]",
        "[fe80::1%25eth0]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2606:4700::1111]",
    ] {
        let text = format!("https://{host}/x");
        let refused = CallbackUrl::check(&text, &settings(&["*"], false));
        assert!(refused.is_err(), "{text}");
    }
    assert!(CallbackUrl::check("https://hooks.example.com/x", &settings(&["*"], false)).is_ok());
}

#[test]
fn labs_may_call_this_machine_by_plain_http_and_no_other() {
    let lab = settings(&["*"], true);
    for text in [
        "http://127.0.0.1:8080/x",
        "http://localhost:8080/x",
        "http://[::1]:8080/x",
        "https://10.0.0.1:8443/x",
    ] {
        assert!(CallbackUrl::check(text, &lab).is_ok(), "{text}");
    }
    for text in [
        "http://10.0.0.1/x",
        "http://example.com/x",
        "http://localhost.example.com/x",
        "http://[::ffff:127.0.0.1]:80@10.0.0.1/x",
        "ftp://127.0.0.1/x",
    ] {
        assert!(CallbackUrl::check(text, &lab).is_err(), "{text}");
    }
    let listed = settings(&["*.example.com"], true);
    assert!(CallbackUrl::check("http://127.0.0.1:8080/x", &listed).is_err());
}

#[test]
fn the_refusal_says_what_is_allowed() {
    let refused = |hosts: &[&str]| {
        let error = CallbackUrl::check("https://other.com/x", &settings(hosts, false));
        error.unwrap_err().to_string()
    };
    assert!(refused(&["*.example.com", "one.org"]).contains("*.example.com, one.org;"));
    assert!(refused(&[]).contains("none"));
}

#[test]
fn a_url_does_not_print_itself() {
    let url = CallbackUrl::check(REAL, &defaults()).unwrap();
    assert_eq!(format!("{url:?}"), "CallbackUrl([REDACTED])");
}

#[tokio::test]
async fn a_name_without_public_addresses_is_not_called_and_not_tried_again() {
    let callbacks = Callbacks::new(&settings(&["*"], false)).unwrap();
    let url = callbacks.check("https://localhost/x").unwrap();
    let delivery = callbacks.deliver(&url, "event-1", Bytes::new()).await;
    let expected = Delivery {
        delivered: Delivered::GaveUp,
        attempts: 1,
        status: None,
        problem: NOT_PUBLIC,
    };
    assert_eq!(delivery, expected);
}

#[test]
fn waits_are_any_part_of_the_whole() {
    let whole = Duration::from_secs(8);
    let parts: Vec<_> = (0..200).map(|_| part_of(whole)).collect();
    assert!(parts.iter().all(|part| *part <= whole));
    assert!(parts.iter().any(|part| *part < whole / 4));
    assert!(parts.iter().any(|part| *part > whole / 4 * 3));
}

#[test]
fn retry_after_is_read_in_both_forms() {
    let read = |text: &str| {
        let headers = [(header::RETRY_AFTER, text.parse().unwrap())];
        retry_after(&headers.into_iter().collect())
    };
    assert_eq!(read("7"), Some(Duration::from_secs(7)));
    let moment = httpdate::fmt_http_date(SystemTime::now() + Duration::from_mins(1));
    let left = read(&moment).unwrap();
    assert!((58..=60).contains(&left.as_secs()), "{left:?}");
    for text in ["", "soon", "-1", "Wed, 21 Oct 2015 07:28:00 GMT"] {
        assert_eq!(read(text), None, "{text}");
    }
}
