//! What holds wherever snapshots are kept: the same laws for a folder of a volume and for a prefix of a bucket.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod bucket;
mod cut_off;
mod laws;
mod network;
mod place;

/// Every law, by its name, for a kind of place.
macro_rules! hold {
    ($place:ty: $($law:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                $crate::snapshots::laws::$law(&<$place as $crate::snapshots::place::Place>::new().await).await;
            }
        )*
    };
}

/// All of them.
macro_rules! every_law {
    ($place:ty) => {
        hold!($place:
            an_archive_is_there_once_it_is_published_and_until_it_is_withdrawn
            a_draft_that_is_begun_anew_leaves_nothing_of_the_one_before
            what_is_to_take_the_place_of_an_archive_is_not_called_whole_before_it_does
            what_is_discarded_or_withdrawn_was_maybe_never_there
            notes_are_kept_each_by_itself_and_the_last_one_counts
            everything_of_ours_goes_but_the_new_one_and_what_is_to_be_kept
            the_newest_stay_whoever_remembers_them
            what_is_no_snapshot_of_ours_is_never_touched
            what_was_cut_off_while_it_was_taken_away_is_found_again
            the_sizes_of_the_others_are_known
            however_a_worker_is_cut_off_no_half_snapshot_is_called_whole
            however_a_worker_is_cut_off_while_it_starts_over_no_half_snapshot_is_called_whole
            however_a_worker_is_cut_off_while_it_makes_another_archive_it_is_the_one_or_the_other
            however_a_worker_is_cut_off_while_it_takes_one_away_the_next_one_ends_it
        );
    };
}

mod in_a_folder {
    every_law!(crate::snapshots::place::OnVolume);
}

mod in_a_bucket {
    every_law!(crate::snapshots::place::InBucket);
}
