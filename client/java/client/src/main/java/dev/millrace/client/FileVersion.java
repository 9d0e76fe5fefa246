package dev.millrace.client;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Tells whether a file is still the one it was, also where a link or a directory was replaced, as Kubernetes
 * does with a mounted Secret.
 *
 * @param key of the file system, such as an inode; null where it has none
 */
public record FileVersion(FileTime modified, long size, Object key) {
  private static final FileVersion MISSING = new FileVersion(FileTime.fromMillis(0), -1, null);

  /** One each; those that are null are left out. */
  public static List<FileVersion> of(Path... files) {
    return Arrays.stream(files).filter(Objects::nonNull).map(FileVersion::of).toList();
  }

  private static FileVersion of(Path file) {
    try {
      BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
      return new FileVersion(now.lastModifiedTime(), now.size(), now.fileKey());
    } catch (IOException missing) {
      return MISSING;
    }
  }
}
