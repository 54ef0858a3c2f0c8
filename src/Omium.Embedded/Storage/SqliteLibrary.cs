using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Omium.Embedded.Storage;

/// <summary>Which SQLite this process uses.</summary>
/// <param name="Source">File name the loader found it by; a name of the system's library or <c>e_sqlite3</c>, the bundled one.</param>
/// <param name="Version">SQLite's own version, for example 3.46.1.</param>
public sealed record SqliteLibraryInfo(string Source, string Version)
{
    /// <summary>True for the operating system's library.</summary>
    public bool IsSystem => Source != SqliteLibrary.BundledName;

    /// <summary>One line for a start-up log.</summary>
    public override string ToString() => $"SQLite {Version} ({(IsSystem ? "system" : "bundled")} {Source})";
}

/// <summary>
/// Chooses the SQLite library once per process: the system's, because the distribution patches it, else the bundled one. Both are reached
/// through the same provider; only the file behind its imports differs.
/// </summary>
internal static class SqliteLibrary
{
    public const string BundledName = "e_sqlite3";

    /// <summary>3.35.0 (2021) brought RETURNING and is the oldest version these stores are tested with.</summary>
    private const int OldestVersionNumber = 3_035_000;

    private static readonly Lazy<(SqliteLibraryInfo Info, nint Handle)> Chosen = new(Choose);

    public static SqliteLibraryInfo Info => Chosen.Value.Info;

    /// <summary>A function that the provider does not wrap.</summary>
    public static nint Export(string name) => NativeLibrary.GetExport(Chosen.Value.Handle, name);

    private static (SqliteLibraryInfo Info, nint Handle) Choose()
    {
        var provider = typeof(SQLite3Provider_e_sqlite3).Assembly;
        var (source, handle) = LoadSystem();
        if (handle == 0)
        {
            (source, handle) = (BundledName, NativeLibrary.Load(BundledName, provider, null));
        }

        NativeLibrary.SetDllImportResolver(provider, (name, _, _) => name == BundledName ? handle : 0);
        Batteries_V2.Init();
        return (new SqliteLibraryInfo(source, raw.sqlite3_libversion().utf8_to_string()), handle);
    }

    private static (string Source, nint Handle) LoadSystem()
    {
        foreach (var name in SystemNames())
        {
            if (!NativeLibrary.TryLoad(name, Assembly.GetExecutingAssembly(), DllImportSearchPath.System32, out var handle))
            {
                continue;
            }

            if (IsUsable(handle))
            {
                return (name, handle);
            }

            NativeLibrary.Free(handle);
        }

        return ("", 0);
    }

    private static string[] SystemNames() =>
        OperatingSystem.IsLinux() ? ["libsqlite3.so.0"]
        : OperatingSystem.IsMacOS() ? ["/usr/lib/libsqlite3.dylib"]
        : OperatingSystem.IsWindows() ? ["winsqlite3.dll"]
        : [];

    /// <summary>New enough, and built for use by several threads.</summary>
    private static unsafe bool IsUsable(nint handle) =>
        NativeLibrary.TryGetExport(handle, "sqlite3_libversion_number", out var version)
        && NativeLibrary.TryGetExport(handle, "sqlite3_threadsafe", out var threadsafe)
        && ((delegate* unmanaged[Cdecl]<int>)version)() >= OldestVersionNumber
        && ((delegate* unmanaged[Cdecl]<int>)threadsafe)() != 0;
}
