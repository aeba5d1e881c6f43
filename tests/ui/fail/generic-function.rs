#[guirpc::function]
fn largest<T: Ord>(a: T, b: T) -> T {
    a.max(b)
}

#[guirpc::function]
fn first<const N: usize>(list: [u8; N]) -> u8
where
    [u8; N]: Default,
{
    list[0]
}

fn main() {
    assert_eq!(largest(1, 2), 2);
}
