//! Ways to say who we are that need builds of the services with features, and servers that CI has not: `./dev kafka-auth` has both.

mod amazon_msk;
mod kerberos;
mod openid;
