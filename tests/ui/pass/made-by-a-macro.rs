//! Functions whose parts come out of the fragments of a `macro_rules!`.

macro_rules! served {
    ($name:ident, $ty:ty, $output:ty, $body:block) => {
        #[guirpc::function]
        pub fn $name(value: $ty) -> $output $body
    };
}

#[allow(unused_variables)]
mod made {
    served!(three, &str, i64, { 3 });
    served!(none, Vec<u8>, Option<i64>, { None });
    served!(checked, i64, Result<i64, guirpc::Fault>, { Ok(1) });
}
use made::{checked, none, three};

macro_rules! whole {
    ($item:item) => {
        #[guirpc::function]
        $item
    };
}

whole! {
    fn whole(a: i64) -> i64 {
        a
    }
}

fn main() {
    assert_eq!((three("a"), none(vec![]), checked(2).unwrap(), whole(4)), (3, None, 1, 4));
    let _: fn(&guirpc::Client, &str) -> Result<i64, guirpc::CallError> = three::call;
}
