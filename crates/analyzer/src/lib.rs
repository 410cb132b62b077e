//! Static analysis: code bytes to a demand profile
