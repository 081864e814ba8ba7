//! Lists that come in pages and are of use as a whole only: what is missing of one would pass for not there.
//! It counts pages and asks for none.

use super::errors::Failure;

/// The most pages of such a list: IAM's are of up to a thousand roles, or a hundred policies.
pub(super) const MOST: usize = 200;

/// The pages so far.
#[derive(Debug, Default)]
pub(super) struct Whole {
    pages: usize,
    more: bool,
}

impl Whole {
    /// A page came; `more`: it says that others follow.
    pub(super) fn page(&mut self, more: bool, request_id: Option<&str>) -> Result<(), Failure> {
        self.pages += 1;
        self.more = more;
        if self.pages > MOST {
            let why = format!("the list has more than {MOST} pages");
            return Err(Failure::malformed(why, request_id));
        }
        Ok(())
    }

    /// No page came any more. The SDK stops where a page names itself, or nothing, as the next one.
    pub(super) fn end(self, request_id: Option<&str>) -> Result<(), Failure> {
        if self.more {
            let why = "the list says that it goes on, and not where";
            return Err(Failure::malformed(why, request_id));
        }
        Ok(())
    }
}

/// Whether a page names another one.
pub(super) fn names_another(token: Option<&str>) -> bool {
    token.is_some_and(|token| !token.is_empty())
}
