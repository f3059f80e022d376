#!/usr/bin/env python3
"""Takes one promise of Brig's away at a time, and checks that the named test fails.

Each mutant is one replacement in a copy of the sources. What survives is a promise that no test holds. The crates under
test need no AWS SDK, so that a mutant costs about a minute. Usage: mutants.py TARGET_FOLDER [NAME...]
"""
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# One mutant's build and test together; a test that hangs has noticed it, too.
SECONDS = 600

# What is taken away, where, the text and what stands in its place, and the test that must fail: in the simulator (holds), in
# core or in engine.
MUTANTS = [
    ("intent before effect", "crates/engine/src/work.rs",
     'let held = self.within("record", self.ledger.record(&self.key, &self.containment, &records)).await?;',
     "let held: Vec<String> = Vec::new();",
     "holds", "release::a_release_gives_the_world_back"),
    ("the lease", "crates/core/src/ledger/claim.rs",
     "Some(current) => Claimable::Held { by: current.holder.clone(), until: current.lease_until },",
     "Some(_) => Claimable::Again,",
     "holds", "races::while_one_holds_it_another_changes_nothing"),
    ("the original is recorded once", "crates/engine/src/claim.rs",
     ".filter(|(key, _)| known.iter().all(|record| record.key != *key))",
     ".filter(|_| true)",
     "holds", "release::what_a_killed_and_retried_containment_replaced_is_given_back"),
    ("what could not be read is not true", "crates/core/src/report/fact.rs",
     "(_, 0, _) => Self::Unknown,",
     "(_, 0, _) => Self::Yes,",
     "core", "report::verdict::tests::truths_add_up"),
    ("the brake between machines", "crates/core/src/ledger.rs",
     "recent.iter().rev().nth(MOST_REPAIRS - 1)",
     "recent.iter().rev().nth(usize::MAX)",
     "holds", "contest::in_two_hours_of_swapping_back_orders_are_obeyed"),
    ("a set that changed is written again", "crates/engine/src/stable.rs",
     "Some(now) if now != set => set = now,",
     "Some(now) if now != set && false => set = now,",
     "engine", "stable::tests::a_set_that_changed_meanwhile_is_written_again_until_it_did_not"),
    ("never means never", "crates/core/src/decide.rs",
     "Strength::UnlessForced if force == Force::No =>",
     "Strength::UnlessForced if force == Force::Yes =>",
     "core", "decide::tests::a_person_overrides_exemption_with_force_but_never_never"),
    ("a message that was not sent is sent later", "crates/engine/src/verify.rs",
     "not_notified: self.send_held(invocation).await, ",
     "",
     "holds", "notify"),
    ("an untracked interface is isolated again", "crates/engine/src/lanes/network/cut.rs",
     "let closing = self.close_again(eni, &isolated).await;",
     "let closing: PortResult<()> = Ok(());",
     "holds", "interfaces::the_step_that_opened_an_interface_isolates_it_again_though_no_later_look_is_answered"),
]


def copy(tree: pathlib.Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)


def run(tree: pathlib.Path, target: pathlib.Path, where: str, test: str) -> tuple[str, str]:
    """How a test ended: it passed, failed, did not compile, or did not run at all."""
    which = {"holds": ["-p", "brig-sim", "--test", "holds"], "core": ["-p", "brig-core", "--lib"],
             "engine": ["-p", "brig-engine", "--lib"]}[where]
    command = ["cargo", "test", "--quiet", *which, "--", test]
    try:
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=SECONDS,
                              env={**os.environ, "CARGO_TARGET_DIR": str(target), "BRIG_SEEDS": "200"})
    except subprocess.TimeoutExpired:
        return "hung", ""
    said = done.stdout + done.stderr
    if "error: could not compile" in said:
        return "does not compile", said[-2000:]
    if "test result:" not in said or "0 passed; 0 failed" in said:
        return "ran no test", said[-2000:]
    return ("passed" if done.returncode == 0 else "failed"), said[-2000:]


def main() -> int:
    target = pathlib.Path(sys.argv[1]).resolve() / "mutants"
    wanted = sys.argv[2:]
    tree = target / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    copy(tree)
    bad = 0
    for name, file, old, new, where, test in MUTANTS:
        if wanted and not any(word in name for word in wanted):
            continue
        path = tree / file
        text = path.read_text()
        began = time.monotonic()
        if text.count(old) != 1:
            end, said = "is out of date: the text is not there once", ""
        else:
            path.write_text(text.replace(old, new))
            end, said = run(tree, target / "build", where, test)
            path.write_text(text)
        caught = end in ("failed", "hung")
        bad += not caught
        print(f"{'caught  ' if caught else 'NOT CAUGHT'} {name}: {test} {end} ({time.monotonic() - began:.0f} s)", flush=True)
        if not caught:
            print(said, flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
