using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Omium.Cli.Hosting;

/// <summary>
/// Says that a data directory was restored from a backup and not started since. What happened between backup and restore is not in it, so the next
/// start pauses what was under way before it begins anything.
/// </summary>
internal static class RestoredMark
{
    private const string Name = "restored.json", TakenAt = "backup_taken_at";

    /// <summary>The time of the backup that a directory was restored from; null when it was started since, or never restored.</summary>
    public static string? Read(string directory)
    {
        var path = Path.Combine(directory, Name);
        if (!File.Exists(path))
        {
            return null;
        }

        using var mark = JsonDocument.Parse(File.ReadAllText(path));
        return mark.RootElement.GetProperty(TakenAt).GetString();
    }

    /// <summary>Leaves the mark.</summary>
    public static void Write(string directory, string takenAt) =>
        DataFiles.Write(Path.Combine(directory, Name), Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"{{TakenAt}}": "{{takenAt}}"}""")));

    /// <summary>Removes it, once everything that was under way is paused.</summary>
    public static void Remove(string directory) => File.Delete(Path.Combine(directory, Name));
}
