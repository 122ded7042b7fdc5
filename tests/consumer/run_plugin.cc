// Loads a shared object that has one of the other programs in it, as a plugin
// of somebody else's would: linked with the static libraries or the shared.
int plugin_main();

int main() { return plugin_main(); }
