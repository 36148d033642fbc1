use super::*;

#[test]
fn a_caller_may_have_the_certificate_verified_and_name_no_file_of_the_server() {
    let parse = |rest: &str| Source::parse_remote(&format!("postgresql://u:p@db.example.com/shop?{rest}"));
    assert!(parse("sslmode=verify-full&sslrootcert=system").is_ok());
    for file in ["sslrootcert=/etc/ca.pem", "sslcert=system", "sslkey=/root/key"] {
        assert!(parse(file).is_err(), "{file}");
    }
}
