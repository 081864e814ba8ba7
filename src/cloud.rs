//! The seam to AWS: what may be read and written, in model types.
//! It names no SDK and decides nothing; `aws` implements it for real accounts, tests for worlds in memory.

use std::future::Future;

use crate::model::account::AccountName;
pub use crate::model::failure::{CloudError, CloudErrorKind};
use crate::model::read::{Fact, Read};
use crate::model::write::{Write, Written};

/// Accounts that can be read and written.
pub trait Cloud {
    /// Asks one account one question.
    ///
    /// What does not exist is an answer, not an error.
    fn read(
        &self,
        account: &AccountName,
        read: &Read,
    ) -> impl Future<Output = Result<Fact, CloudError>>;

    /// Changes one account by one call.
    ///
    /// Deleting what is not there answers [`Written::AlreadyThere`].
    fn write(
        &self,
        account: &AccountName,
        write: &Write,
    ) -> impl Future<Output = Result<Written, CloudError>>;
}
