using System.Text;
using Omium.Runtime.Security;

namespace Omium.Cli.Hosting;

/// <summary>The two small secret files beside the database, mode 0600: the master key, and the API key of this installation.</summary>
internal static class DataFiles
{
    /// <summary>Name of the file with the API key.</summary>
    public const string KeyName = "dev.key";

    private const string MasterName = "master.key";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The master key, or null when there is no file.</summary>
    /// <exception cref="InvalidDataException">The file is not a key.</exception>
    public static byte[]? ReadMasterKey(string directory)
    {
        var path = MasterKeyPath(directory);
        if (!File.Exists(path))
        {
            return null;
        }

        var key = File.ReadAllBytes(path);
        return key.Length == Seal.KeyBytes
            ? key
            : throw new InvalidDataException($"{path} has {key.Length} bytes; a master key has {Seal.KeyBytes}. Restore it from a backup: without it the data cannot be read.");
    }

    /// <summary>Keeps the master key.</summary>
    public static void WriteMasterKey(string directory, byte[] key) => Write(MasterKeyPath(directory), key);

    /// <summary>Where the master key lies.</summary>
    public static string MasterKeyPath(string directory) => Path.Combine(directory, MasterName);

    /// <summary>The API key that an earlier start wrote, or null.</summary>
    public static string? ReadKey(string directory)
    {
        var path = Path.Combine(directory, KeyName);
        return File.Exists(path) && File.ReadAllText(path).Trim() is { Length: > 0 } key ? key : null;
    }

    /// <summary>Keeps the API key.</summary>
    public static void WriteKey(string directory, string key) => Write(Path.Combine(directory, KeyName), Encoding.ASCII.GetBytes(key + "\n"));

    /// <summary>Writes whole or not at all: to a file beside it, synced, then renamed.</summary>
    public static void Write(string path, byte[] content)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        var next = path + ".next";
        using (var file = new FileStream(next, options))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(next, path, overwrite: true);
    }
}
