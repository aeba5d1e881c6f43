//! A hundred services in one program, each with a function.

/// Has each service serve `add`, and names them all.
macro_rules! services {
    ($($module:ident $service:literal,)*) => {
        $(
            mod $module {
                #[guirpc::function(service = $service)]
                fn add(a: i64, b: i64) -> i64 {
                    a + b
                }
            }
        )*

        /// Their names.
        pub(crate) const SERVICES: [&str; 100] = [$($service),*];
    };
}

services! {
    many_00 "bench-many-00", many_01 "bench-many-01", many_02 "bench-many-02", many_03 "bench-many-03",
    many_04 "bench-many-04", many_05 "bench-many-05", many_06 "bench-many-06", many_07 "bench-many-07",
    many_08 "bench-many-08", many_09 "bench-many-09", many_10 "bench-many-10", many_11 "bench-many-11",
    many_12 "bench-many-12", many_13 "bench-many-13", many_14 "bench-many-14", many_15 "bench-many-15",
    many_16 "bench-many-16", many_17 "bench-many-17", many_18 "bench-many-18", many_19 "bench-many-19",
    many_20 "bench-many-20", many_21 "bench-many-21", many_22 "bench-many-22", many_23 "bench-many-23",
    many_24 "bench-many-24", many_25 "bench-many-25", many_26 "bench-many-26", many_27 "bench-many-27",
    many_28 "bench-many-28", many_29 "bench-many-29", many_30 "bench-many-30", many_31 "bench-many-31",
    many_32 "bench-many-32", many_33 "bench-many-33", many_34 "bench-many-34", many_35 "bench-many-35",
    many_36 "bench-many-36", many_37 "bench-many-37", many_38 "bench-many-38", many_39 "bench-many-39",
    many_40 "bench-many-40", many_41 "bench-many-41", many_42 "bench-many-42", many_43 "bench-many-43",
    many_44 "bench-many-44", many_45 "bench-many-45", many_46 "bench-many-46", many_47 "bench-many-47",
    many_48 "bench-many-48", many_49 "bench-many-49", many_50 "bench-many-50", many_51 "bench-many-51",
    many_52 "bench-many-52", many_53 "bench-many-53", many_54 "bench-many-54", many_55 "bench-many-55",
    many_56 "bench-many-56", many_57 "bench-many-57", many_58 "bench-many-58", many_59 "bench-many-59",
    many_60 "bench-many-60", many_61 "bench-many-61", many_62 "bench-many-62", many_63 "bench-many-63",
    many_64 "bench-many-64", many_65 "bench-many-65", many_66 "bench-many-66", many_67 "bench-many-67",
    many_68 "bench-many-68", many_69 "bench-many-69", many_70 "bench-many-70", many_71 "bench-many-71",
    many_72 "bench-many-72", many_73 "bench-many-73", many_74 "bench-many-74", many_75 "bench-many-75",
    many_76 "bench-many-76", many_77 "bench-many-77", many_78 "bench-many-78", many_79 "bench-many-79",
    many_80 "bench-many-80", many_81 "bench-many-81", many_82 "bench-many-82", many_83 "bench-many-83",
    many_84 "bench-many-84", many_85 "bench-many-85", many_86 "bench-many-86", many_87 "bench-many-87",
    many_88 "bench-many-88", many_89 "bench-many-89", many_90 "bench-many-90", many_91 "bench-many-91",
    many_92 "bench-many-92", many_93 "bench-many-93", many_94 "bench-many-94", many_95 "bench-many-95",
    many_96 "bench-many-96", many_97 "bench-many-97", many_98 "bench-many-98", many_99 "bench-many-99",
}
