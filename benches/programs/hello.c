// A tour of what a WASI command can ask for, one subcommand each, so that every answer can be compared between engines:
//   hello                        greets
//   hello args A B...            prints its arguments, one a line
//   hello env                    prints the environment, sorted
//   hello upper                  copies standard input to standard output in upper case
//   hello cat FILE...            prints files
//   hello write FILE TEXT...     writes the words to a new file, one a line, then appends a last line
//   hello list DIR               lists a folder, sorted, with kind and size
//   hello tree DIR               makes folders and files below DIR, renames, links, truncates, removes, then lists
//   hello seek FILE              reads a file backwards in pieces
//   hello clock                  checks that the monotonic clock goes forward and that sleeping takes time
//   hello random                 checks that random bytes differ
//   hello errors DIR             prints the error of each of several things that must fail
//   hello exit CODE              exits with the code
//   hello trap                   executes the unreachable instruction
//   hello deep                   recurses until it leaves its stack
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int fail(const char *what) {
    printf("%s: %s\n", what, strerror(errno));
    return 1;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int print_args(int count, char **words) {
    for (int i = 0; i < count; i++) printf("%d: %s\n", i, words[i]);
    return 0;
}

static int print_env(void) {
    int count = 0;
    while (environ[count]) count++;
    qsort(environ, (size_t)count, sizeof *environ, by_text);
    for (int i = 0; i < count; i++) puts(environ[i]);
    return 0;
}

static int upper(void) {
    int c;
    while ((c = getchar()) != EOF) putchar(c >= 'a' && c <= 'z' ? c - 32 : c);
    return 0;
}

static int cat(int count, char **names) {
    for (int i = 0; i < count; i++) {
        FILE *file = fopen(names[i], "rb");
        if (!file) return fail(names[i]);
        char buffer[4096];
        size_t got;
        while ((got = fread(buffer, 1, sizeof buffer, file)) > 0) fwrite(buffer, 1, got, stdout);
        fclose(file);
    }
    return 0;
}

static int write_file(const char *name, int count, char **words) {
    FILE *file = fopen(name, "wb");
    if (!file) return fail(name);
    for (int i = 0; i < count; i++) fprintf(file, "%s\n", words[i]);
    fclose(file);
    if (!(file = fopen(name, "ab"))) return fail(name);
    fprintf(file, "end of %d\n", count);
    fclose(file);
    return 0;
}

static int list(const char *name) {
    DIR *folder = opendir(name);
    if (!folder) return fail(name);
    static char *names[4096];
    int count = 0;
    for (struct dirent *entry; count < 4096 && (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) names[count++] = strdup(entry->d_name);
    closedir(folder);
    qsort(names, (size_t)count, sizeof *names, by_text);
    for (int i = 0; i < count; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", name, names[i]);
        struct stat info;
        if (lstat(path, &info)) return fail(path);
        int folder_entry = S_ISDIR(info.st_mode);
        printf("%c %lld %s\n", folder_entry ? 'd' : S_ISLNK(info.st_mode) ? 'l' : S_ISREG(info.st_mode) ? 'f' : '?',
               folder_entry ? 0 : (long long)info.st_size, names[i]);
    }
    return 0;
}

static int tree(const char *root) {
    char path[256], other[256], text[128];
    snprintf(path, sizeof path, "%s/made", root);
    if (mkdir(path, 0755)) return fail(path);
    for (int i = 0; i < 300; i++) { // more entries than one readdir buffer holds
        snprintf(path, sizeof path, "%s/made/file-%03d", root, i);
        FILE *file = fopen(path, "wb");
        if (!file) return fail(path);
        fprintf(file, "%*d", i, i);
        fclose(file);
    }
    snprintf(path, sizeof path, "%s/made/file-299", root);
    snprintf(other, sizeof other, "%s/renamed", root);
    if (rename(path, other)) return fail(other);
    if (truncate(other, 7)) return fail("truncate");
    snprintf(path, sizeof path, "%s/made/short-cut", root);
    if (symlink("file-010", path)) return fail(path);
    ssize_t size = readlink(path, text, sizeof text);
    printf("link to %.*s\n", (int)size, text);
    snprintf(other, sizeof other, "%s/made/file-020", root);
    snprintf(path, sizeof path, "%s/twin", root);
    if (link(other, path)) return fail("link");
    for (int i = 100; i < 250; i++) {
        snprintf(path, sizeof path, "%s/made/file-%03d", root, i);
        if (unlink(path)) return fail(path);
    }
    snprintf(path, sizeof path, "%s/made", root);
    int status = list(path);
    return status ? status : list(root);
}

static int seek_back(const char *name) {
    int fd = open(name, O_RDONLY);
    if (fd < 0) return fail(name);
    off_t size = lseek(fd, 0, SEEK_END);
    printf("%lld bytes\n", (long long)size);
    char piece[17] = { 0 };
    for (off_t at = size - size % 16; at >= 0; at -= 16) {
        ssize_t got = pread(fd, piece, 16, at);
        for (ssize_t i = 0; i < got; i++) putchar(piece[got - 1 - i]);
    }
    putchar('\n');
    return close(fd);
}

static int clocks(void) {
    struct timespec before, after, pause = { 0, 20000000 };
    clock_gettime(CLOCK_MONOTONIC, &before);
    nanosleep(&pause, NULL);
    clock_gettime(CLOCK_MONOTONIC, &after);
    long long passed = (after.tv_sec - before.tv_sec) * 1000000000ll + after.tv_nsec - before.tv_nsec;
    printf("slept %s\n", passed >= 20000000 && passed < 5000000000ll ? "as asked" : "wrongly");
    printf("year %s\n", time(NULL) > 1700000000 ? "plausible" : "wrong");
    return 0;
}

static int randomness(void) {
    unsigned char a[64], b[64];
    if (getentropy(a, sizeof a) || getentropy(b, sizeof b)) return fail("getentropy");
    printf("random bytes %s\n", memcmp(a, b, sizeof a) ? "differ" : "repeat");
    return 0;
}

static int errors(const char *root) {
    char path[256];
    struct { const char *name; int flags; } tries[] = {
        { "missing", O_RDONLY }, { "../outside", O_RDONLY }, { "file/below", O_RDONLY }, { "folder", O_WRONLY },
        { "file", O_CREAT | O_EXCL | O_WRONLY }, { "file", O_DIRECTORY | O_RDONLY }, { "escape", O_RDONLY }, { "loop", O_RDONLY },
    };
    snprintf(path, sizeof path, "%s/file", root);
    close(open(path, O_CREAT | O_WRONLY, 0644));
    snprintf(path, sizeof path, "%s/folder", root);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/escape", root);
    symlink("../../outside", path);
    snprintf(path, sizeof path, "%s/loop", root);
    symlink("loop", path);
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        snprintf(path, sizeof path, "%s/%s", root, tries[i].name);
        int fd = open(path, tries[i].flags, 0644);
        printf("open %s: %s\n", tries[i].name, fd >= 0 ? "opened" : strerror(errno));
        if (fd >= 0) close(fd);
    }
    snprintf(path, sizeof path, "%s/folder", root);
    printf("unlink folder: %s\n", unlink(path) ? strerror(errno) : "done");
    printf("mkdir again: %s\n", mkdir(path, 0755) ? strerror(errno) : "done");
    printf("close 99: %s\n", close(99) ? strerror(errno) : "done");
    printf("read from output: %s\n", read(99, path, 1) < 0 ? strerror(errno) : "done");
    snprintf(path, sizeof path, "%s/file", root);
    printf("rmdir file: %s\n", rmdir(path) ? strerror(errno) : "done");
    return 0;
}

static volatile int start_depth;

static int deep(int depth) {
    volatile char room[64];
    room[depth & 63] = (char)depth;
    return depth < 0 ? 0 : deep(depth + 1) + room[depth & 63];
}

int main(int argc, char **argv) {
    const char *verb = argc > 1 ? argv[1] : "";
    if (argc == 1) {
        puts("Hello from WebAssembly!");
        return 0;
    }
    if (!strcmp(verb, "args")) return print_args(argc - 2, argv + 2);
    if (!strcmp(verb, "env")) return print_env();
    if (!strcmp(verb, "upper")) return upper();
    if (!strcmp(verb, "cat")) return cat(argc - 2, argv + 2);
    if (!strcmp(verb, "write") && argc > 2) return write_file(argv[2], argc - 3, argv + 3);
    if (!strcmp(verb, "list") && argc == 3) return list(argv[2]);
    if (!strcmp(verb, "tree") && argc == 3) return tree(argv[2]);
    if (!strcmp(verb, "seek") && argc == 3) return seek_back(argv[2]);
    if (!strcmp(verb, "clock")) return clocks();
    if (!strcmp(verb, "random")) return randomness();
    if (!strcmp(verb, "errors") && argc == 3) return errors(argv[2]);
    if (!strcmp(verb, "exit") && argc == 3) exit(atoi(argv[2]));
    if (!strcmp(verb, "trap")) {
        fflush(stdout);
        __builtin_trap();
    }
    if (!strcmp(verb, "deep")) return deep(start_depth);
    fprintf(stderr, "hello: unknown subcommand %s\n", verb);
    return 2;
}
