//! Values of the standard library's types, and of its containers.

#[allow(clippy::wildcard_imports, reason = "it is one list, in two files")]
use super::*;

pub(super) fn numbers() -> Vec<Sample> {
    samples! {
        (): ();
        bool: true, false;
        i8: i8::MIN, -33, 127;
        i16: i16::MIN, 300;
        i32: i32::MIN, 70_000;
        i64: i64::MIN, i64::MAX;
        isize: -1;
        u8: 0, 255;
        u16: u16::MAX;
        u32: u32::MAX;
        u64: u64::MAX, 1 << 53;
        usize: 1;
        i128: 0, -1, i128::from(i64::MIN), i128::MIN;
        u128: 5, u128::from(u64::MAX), u128::MAX;
        f32: 0.1, f32::MAX, f32::MIN_POSITIVE, 16_777_216.0;
        Float32: Float32(-0.0), Float32(f32::NAN), Float32(f32::NEG_INFINITY);
        f64: 0.1, 1.0, 1e300, 5e-324, 9_007_199_254_740_993.0;
        Float: Float(-0.0), Float(f64::NAN), Float(f64::INFINITY);
        char: 'a', '\u{0}', '🦀';
        NonZeroU8: NonZeroU8::MAX;
        NonZeroU16: NonZeroU16::MAX;
        NonZeroU32: NonZeroU32::MAX;
        NonZeroU64: NonZeroU64::MAX;
        NonZeroUsize: NonZeroUsize::MIN;
        NonZeroU128: NonZeroU128::MIN, NonZeroU128::MAX;
        NonZeroI8: NonZeroI8::MIN;
        NonZeroI16: NonZeroI16::MIN;
        NonZeroI32: NonZeroI32::MIN;
        NonZeroI64: NonZeroI64::MIN;
        NonZeroIsize: NonZeroIsize::MIN;
        NonZeroI128: NonZeroI128::MAX;
        Wrapping<i32>: Wrapping(-1);
        Saturating<u8>: Saturating(9);
        Reverse<u16>: Reverse(9);
        Meters: Meters(1.0);
        Id: Id(u64::MAX);
        Wide: Wide(7), Wide(u128::MAX);
        Through: Through(200);
    }
}

pub(super) fn texts_and_bytes() -> Vec<Sample> {
    samples! {
        String: String::new(), text(), "5".to_owned(), "\u{1}\u{2}".to_owned();
        Box<str>: "boxed".into();
        Cow<'static, str>: "cow".into();
        PathBuf: "/tmp/ü".into();
        CString: c"hi".to_owned();
        Vec<u8>: Vec::new(), b"hi".to_vec(), vec![0, 200];
        Box<[u8]>: Box::from([104, 105]);
        Cow<'static, [u8]>: Cow::Borrowed(b"hi");
        VecDeque<u8>: VecDeque::from([104, 105]);
        BTreeSet<u8>: BTreeSet::from([1, 2]);
        HashSet<u8>: HashSet::from([1, 2, 3, 4]);
        [u8; 4]: *b"hi\xff\0";
        [u8; 0]: [];
        (u8, u8): (104, 105);
        ByteBuf: ByteBuf::new(), ByteBuf::from(b"hi"), ByteBuf::from([0, 200]);
        ByteArray<3>: ByteArray::new([1, 2, 200]);
        Compact: Compact { bytes: b"hi".to_vec() };
        Transparent: Transparent { inner: b"hi".to_vec() };
        Generic<Vec<u8>>: Generic { inner: b"hi".to_vec() };
        Generic<ByteBuf>: Generic { inner: ByteBuf::from(b"hi") };
        Option<Vec<u8>>: None, Some(Vec::new()), Some(b"hi".to_vec());
        Vec<Vec<u8>>: vec![], vec![vec![], b"hi".to_vec()];
        Vec<ByteBuf>: vec![ByteBuf::from(b"hi")];
        Vec<i8>: vec![1, -1];
        Vec<u16>: vec![1, 2];
        Vec<bool>: vec![true];
        Vec<char>: vec!['h', 'i'];
    }
}

pub(super) fn containers() -> Vec<Sample> {
    samples! {
        Option<u8>: None, Some(7);
        Option<String>: None, Some(String::new()), Some(text());
        Option<()>: None, Some(());
        Option<Unit>: None, Some(Unit);
        Option<Option<u8>>: None, Some(None), Some(Some(1));
        Option<Meters>: Some(Meters(0.5));
        Option<f64>: None, Some(1.5);
        Option<Float>: None, Some(Float(f64::NAN));
        Option<u128>: None, Some(1), Some(u128::MAX);
        Option<PhantomData<u8>>: Some(PhantomData);
        Option<Value>: None, Some(Value::Null), Some(json!([null]));
        Vec<()>: vec![(), ()];
        Vec<Option<u8>>: vec![Some(1), None];
        Vec<Option<()>>: vec![None], vec![None, Some(())];
        Vec<String>: vec![], vec![text()];
        Vec<u128>: vec![1], vec![u128::MAX];
        Vec<f64>: vec![0.1, 1.0];
        Vec<IpAddr>: vec![Ipv4Addr::LOCALHOST.into()];
        Vec<Vec<Vec<u8>>>: vec![vec![vec![1]], vec![]];
        LinkedList<u8>: LinkedList::from([1, 2]);
        VecDeque<String>: VecDeque::from([text()]);
        BTreeSet<String>: BTreeSet::from([text()]);
        HashSet<String>: HashSet::from(["a".to_owned(), "b".to_owned(), "c".to_owned()]);
        HashSet<u128>: HashSet::from([1, 2, 3, 4, 5, 6]);
        Box<u8>: Box::new(1);
        Box<[String]>: Box::from([text()]);
        [u16; 3]: [1, 2, 300];
        [String; 2]: [text(), String::new()];
        [[u8; 2]; 2]: [[1, 2], [3, 4]];
        (u8,): (1,);
        (i8, String): (-1, text());
        (u8, (u8, Option<u8>), ()): (1, (2, None), ());
        (u8, u16, u32, u64, i8, i16, i32, i64): (1, 2, 3, 4, 5, 6, 7, 8);
        (u128, HashMap<String, u8>): (1, HashMap::from([("a".to_owned(), 1), ("b".to_owned(), 2), ("c".to_owned(), 3)]));
        Cell<u8>: Cell::new(1);
        RefCell<String>: RefCell::new(text());
        PhantomData<String>: PhantomData;
        Result<u8, String>: Ok(1), Err(text());
        Result<(), ()>: Ok(()), Err(());
    }
}

pub(super) fn maps() -> Vec<Sample> {
    samples! {
        BTreeMap<String, u8>: BTreeMap::new(), BTreeMap::from([(text(), 1), (String::new(), 2)]);
        BTreeMap<String, Vec<u8>>: BTreeMap::from([(text(), b"hi".to_vec())]);
        BTreeMap<String, Option<()>>: BTreeMap::from([(text(), None)]), BTreeMap::from([(text(), Some(()))]);
        BTreeMap<String, u128>: BTreeMap::from([(text(), 1)]);
        BTreeMap<String, BTreeMap<String, u8>>: BTreeMap::from([(text(), BTreeMap::new())]);
        HashMap<String, String>: HashMap::from([("a".to_owned(), text()), ("b".to_owned(), text())]);
        BTreeMap<u8, u8>: BTreeMap::from([(1, 2)]);
        BTreeMap<i64, String>: BTreeMap::from([(i64::MIN, text())]);
        BTreeMap<u128, u8>: BTreeMap::from([(u128::MAX, 2)]);
        HashMap<u64, u8>: HashMap::from([(1, 2), (2, 3), (3, 4), (4, 5)]);
        BTreeMap<bool, u8>: BTreeMap::from([(true, 2)]);
        BTreeMap<char, u8>: BTreeMap::from([('ü', 2)]);
        BTreeMap<Colour, u8>: BTreeMap::from([(Colour::Red, 2), (Colour::Green, 3)]);
        BTreeMap<Key, u8>: BTreeMap::from([(Key(5), 2)]);
        BTreeMap<IpAddr, u8>: BTreeMap::from([(Ipv4Addr::LOCALHOST.into(), 2)]);
        BTreeMap<Uuid, u8>: BTreeMap::from([(Uuid::from_u128(5), 2)]);
        BTreeMap<Option<String>, u8>: BTreeMap::from([(Some("a".to_owned()), 2)]), BTreeMap::from([(None, 2)]);
        BTreeMap<(), u8>: BTreeMap::from([((), 2)]);
        BTreeMap<(u8, u8), u8>: BTreeMap::from([((1, 2), 3)]);
        BTreeMap<Vec<u8>, u8>: BTreeMap::from([(b"hi".to_vec(), 3)]);
        BTreeMap<ByteBuf, u8>: BTreeMap::from([(ByteBuf::from(b"hi"), 3)]);
        BTreeMap<String, Value>: BTreeMap::from([("$serde_json::private::Number".to_owned(), json!("1"))]);
        Vec<(u8, String)>: vec![(1, text())];
    }
}

pub(super) fn the_standard_librarys() -> Vec<Sample> {
    samples! {
        Duration: Duration::new(1, 2), Duration::MAX;
        SystemTime: SystemTime::UNIX_EPOCH + Duration::from_nanos(1_234_567_890_123_456_789);
        IpAddr: Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into();
        Ipv4Addr: Ipv4Addr::LOCALHOST;
        Ipv6Addr: Ipv6Addr::LOCALHOST;
        SocketAddr: SocketAddr::from(([1, 2, 3, 4], 5)), SocketAddr::from((Ipv6Addr::LOCALHOST, 5));
        SocketAddrV4: SocketAddrV4::new(Ipv4Addr::LOCALHOST, 80);
        SocketAddrV6: SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 0, 0);
        Range<u8>: 1..5;
        RangeInclusive<i64>: -1..=5;
        RangeFrom<u8>: 1..;
        RangeTo<u8>: ..5;
        Bound<u8>: Bound::Unbounded, Bound::Included(1);
        Uuid: Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def0);
        chrono::NaiveDate: chrono::NaiveDate::from_ymd_opt(2026, 2, 28).unwrap();
        chrono::DateTime<chrono::Utc>: chrono::DateTime::from_timestamp(1_700_000_000, 123_456_789).unwrap();
        Vec<Uuid>: vec![Uuid::nil()];
    }
}
