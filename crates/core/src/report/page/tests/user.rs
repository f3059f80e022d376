//! The page of an IAM user.

use super::*;
use crate::{
    decide::Decided,
    ledger::Conclusion,
    model::ids::UserKey,
    report::principal::{PrincipalAnswer, PrincipalVerdict},
    report::{
        fact::holder::{Attachment, facts},
        story::kept_of_principal,
    },
    step::PutUserPermissionsBoundary,
    testing::{DENY, about_user, terms, user},
};

fn answer(half: bool) -> PrincipalAnswer {
    let mut user = user();
    user.boundary = Some(DENY.to_owned());
    user.attached = Some(vec![DENY.to_owned()]);
    for credential in user.credentials.values_mut().flatten().flatten() {
        credential.active = half;
    }
    let key = UserKey { account: testing::account(), user: user.name.clone() }.into();
    let holder = crate::model::Holder::User(user);
    let decided = Decided::contain("its key was used from a malicious address");
    PrincipalAnswer {
        verdict: PrincipalVerdict::judge(&holder, &facts(&holder, &terms(), Attachment::Promised), &terms()),
        ..PrincipalAnswer::nothing_done(&about_user(), Some(&key), decided, Conclusion::Contained)
    }
}

fn shown(half: bool) -> Value {
    let key = UserKey { account: testing::account(), user: user().name };
    let name = key.user.clone();
    let step = Step::PutUserPermissionsBoundary(PutUserPermissionsBoundary {
        user: name.clone(),
        boundary: DENY.to_owned(),
        was: Some("arn:aws:iam::123456789012:policy/developers".to_owned()),
    });
    let mut denied = StepRecord::intended(step.key(name.as_str()), step, at(0));
    denied.outcome = Some(Outcome::changed());
    denied.finished_at = Some(at(400));
    denied.first_done_at = denied.finished_at;
    let records = Records {
        current: Some(Containment {
            containment: "alice-20260102T030405Z".into(),
            state: Standing::Closed,
            outcome: Some("contained".to_owned()),
            claimed_at: at(0),
            reason: "its key was used from a malicious address".to_owned().into(),
            concluded_at: Some(at(900)),
            ..testing::current()
        }),
        steps: vec![denied],
    };
    let report = Report {
        of: ReportOf::Answer,
        containment: "alice-20260102T030405Z".into(),
        at: at(900),
        version: 2,
        answer: kept_of_principal(&answer(half)),
    };
    let beside = Beside { reports: vec![report], ..Beside::default() };
    serde_json::to_value(Story::of(&TargetKey::User(key), &records, beside)).expect("JSON")
}

#[test]
fn a_users_page_has_its_credentials_and_nothing_of_an_instance() {
    let page = page(&shown(false), Now::NotLooked);
    expect![[r#"
        # Incident: `alice`

        `123456789012/iam/alice` · as of 2026-01-02 06:04:05 UTC

        ## State, and what to do

        **CONTAINED**

        user alice in 123456789012 is contained: everything its credentials sign is denied, 1 access key, 1 SSH public key inactive.

        - On record: the ledger, read 2026-01-02 06:04:05 UTC
        - Read back last: 2026-01-02 03:04:05 UTC (credentials, notes)

        Find out where its key leaked from, and in CloudTrail what it made: users, roles and sessions of roles are not covered by the denial.

        To read everything back again, and repair what has drifted:

        ```sh
        brig verify 123456789012/iam/alice
        ```

        To give everything back (it shows the plan and asks first):

        ```sh
        brig release 123456789012/iam/alice
        ```

        ## Credentials

        - Credentials (everything they sign is denied, and each is inactive): holds; steps: 1 of 1 ended

        ## Timeline (UTC)

        **2026-01-02 03:04:05 UTC**, 900 ms

        - 03:04:05.000 claimed: the plan, and all that it replaces, on record
        - 03:04:05.400 Credentials: its step ended
        - 03:04:05.900 everything was read back for the last time

        ## What was changed, before → after

        ### Credentials

        - changed: `put_user_permissions_boundary` `alice`: permissions boundary: `arn:aws:iam::123456789012:policy/developers` → `arn:aws:iam::aws:policy/AWSDenyAll`

        ## Evidence

        The record itself: nothing of IAM is copied.

        - User: `alice`
        - Containment: `alice-20260102T030405Z`
        - Key in the ledger: `123456789012/iam/alice`

        ## What is not known, and why

        - **what has happened since**: its credentials are as they were read back 2026-01-02 03:04:05 UTC
        - **what its credentials made before they were denied**: other users, roles, and sessions of roles live on: Brig does not look for them, CloudTrail has the calls

        ## People and invocations

        - **Why, and who ordered it**: its key was used from a malicious address
        - **Findings**: f
        - **People were notified**: not on record

    "#]].assert_eq(&page.markdown());
    let html = page.html();
    for word in ["instance", "Paths", "Snapshot", "Network"] {
        assert!(!html.contains(&format!(">{word}")), "{word}: {html}");
    }
    assert!(html.contains("123456789012/iam/alice"), "{html}");
}

#[test]
fn a_user_who_has_drifted_or_is_half_contained_is_not_called_contained() {
    let status = json!({"active": [], "principals": [{
        "user": "alice", "drift": 1, "never_done": 0, "verdict": {"denied": "no", "inactive": "yes"}
    }]});
    let seen = page(&shown(false), Now::Looked { status: &status, at: at(HOUR) });
    assert_eq!((seen.state.tone, seen.state.word), (Tone::Bad, "Drifted since it was read back"));
    assert_eq!(seen.lanes[0].now, Some((Tone::Bad, "holds in part")));
    let half = page(&shown(true), Now::NotLooked);
    assert_eq!(half.lanes[0].read_back, (Tone::Bad, "holds in part"));
}
