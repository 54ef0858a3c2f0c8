using System.CommandLine;
using System.Globalization;
using Omium.Cli.Hosting;
using Omium.Embedded.Storage;
using Omium.Runtime.Ports;

namespace Omium.Cli.Commands;

/// <summary><c>omium backup DIR</c>, also while <c>omium dev</c> runs, and <c>omium restore DIR</c> into a data directory that holds nothing.</summary>
internal static class BackupCommands
{
    private const string TimeName = "backup.time";

    public static Command Backup()
    {
        var (directory, data) = (Directory("The backup is made in this new or empty directory."), Data());
        var command = new Command("backup", "Copy the data directory, also while `omium dev` works on it.") { directory, data };
        command.SetAction((parsed, _) => RunAsync("backup", () => Backup(parsed.GetValue(data)!, parsed.GetValue(directory)!)));
        return command;
    }

    public static Command Restore()
    {
        var (directory, data) = (Directory("The directory that `omium backup` made."), Data());
        var command = new Command("restore", "Put a backup in place of a data directory that is not there. What was under way is paused at the next start.") { directory, data };
        command.SetAction((parsed, _) => RunAsync("restore", () => Restore(parsed.GetValue(directory)!, parsed.GetValue(data)!)));
        return command;
    }

    private static Argument<string> Directory(string description) => new("DIR") { Description = description };

    private static Option<string> Data() =>
        new("--data") { Description = "Data directory.", DefaultValueFactory = _ => DevOptions.StandardDataDirectory, HelpName = "DIR" };

    private static string Backup(string data, string directory)
    {
        var key = DataFiles.ReadMasterKey(data)
            ?? throw new InvalidDataException($"{DataFiles.MasterKeyPath(data)} is missing: without it a backup could never be read. Is {data} a data directory?");
        MakeEmpty(directory);
        var takenAt = DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture);
        var executions = StoreBackup.Copy(data, directory);
        Keep(directory, key, DataFiles.ReadKey(data));
        DataFiles.Write(Path.Combine(directory, TimeName), System.Text.Encoding.ASCII.GetBytes(takenAt));
        return string.Create(CultureInfo.InvariantCulture, $"Backed up {executions} executions to {directory}. It holds the master key: keep it as safe as the data.");
    }

    private static string Restore(string directory, string data)
    {
        var key = DataFiles.ReadMasterKey(directory) ?? throw new InvalidDataException($"{directory} is no whole backup: {DataFiles.MasterKeyPath(directory)} is missing.");
        var timePath = Path.Combine(directory, TimeName);
        var takenAt = File.Exists(timePath) ? File.ReadAllText(timePath).Trim() : throw new InvalidDataException($"{directory} is no whole backup: {timePath} is missing.");
        MakeEmpty(data);
        var executions = StoreBackup.Copy(directory, data);
        Keep(data, key, DataFiles.ReadKey(directory));
        RestoredMark.Write(data, takenAt);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Restored {executions} executions as they were at {takenAt}. The next start pauses those that were under way: resume each once you know what happened since.");
    }

    private static void Keep(string directory, byte[] masterKey, string? apiKey)
    {
        DataFiles.WriteMasterKey(directory, masterKey);
        if (apiKey is not null)
        {
            DataFiles.WriteKey(directory, apiKey);
        }
    }

    private static void MakeEmpty(string directory)
    {
        if (System.IO.Directory.Exists(directory) && System.IO.Directory.EnumerateFileSystemEntries(directory).Any())
        {
            throw new IOException($"{directory} is not empty; nothing was changed in it.");
        }

        var mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        _ = OperatingSystem.IsWindows() ? System.IO.Directory.CreateDirectory(directory) : System.IO.Directory.CreateDirectory(directory, mode);
    }

    private static async Task<int> RunAsync(string name, Func<string> act)
    {
        try
        {
            Console.WriteLine(await Task.Run(act));
            return ExitCodes.Done;
        }
        catch (Exception expected) when (expected is StorageException or IOException or UnauthorizedAccessException or InvalidDataException)
        {
            await Console.Error.WriteLineAsync($"omium {name}: {expected.Message}");
            return ExitCodes.Error;
        }
    }
}
