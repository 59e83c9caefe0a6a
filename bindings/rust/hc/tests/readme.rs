//! The example in the README of libhc is the first one of README.md here, which is compiled.

fn first_example(text: &str) -> &str {
    let after = text.split_once("```rust").unwrap().1.split_once('\n').unwrap().1;
    after.split_once("```").unwrap().0
}

#[test]
fn the_example_is_the_same_in_both() {
    let (of_libhc, ours) = (include_str!("../../../../README.md"), include_str!("../../README.md"));
    assert_eq!(first_example(of_libhc), first_example(ours));
}
