using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Omium.Embedded.Storage;

/// <summary>
/// SQLite's own file layer with one thing added: each xSync is counted, apart for the database and its write-ahead log. So the number of
/// syncs that the statistics show is the number SQLite asked of the operating system and saw succeed, not a number derived from commits.
/// </summary>
/// <remarks>
/// The VFS is a copy of the default one whose xOpen lets the original open the file and then exchanges the file's method table for a copy
/// that differs in xSync alone (https://sqlite.org/c3ref/io_methods.html). Close it after the last connection that uses it.
/// </remarks>
internal sealed unsafe class SyncCountingVfs : IDisposable
{
    private const int OpenMainDatabase = 0x0000_0100;
    private const int OpenWal = 0x0008_0000;
    private static int lastNumber;

    private readonly Vfs* vfs;
    private readonly nint name;
    private bool disposed;

    public SyncCountingVfs()
    {
        Name = $"omium-{Interlocked.Increment(ref lastNumber)}";
        var find = (delegate* unmanaged[Cdecl]<byte*, SqliteVfs*>)SqliteLibrary.Export("sqlite3_vfs_find");
        var register = (delegate* unmanaged[Cdecl]<Vfs*, int, int>)SqliteLibrary.Export("sqlite3_vfs_register");
        var original = find(null);
        if (original == null)
        {
            throw new InvalidOperationException("SQLite has no default VFS.");
        }

        name = Marshal.StringToCoTaskMemUTF8(Name);
        vfs = (Vfs*)NativeMemory.AllocZeroed((nuint)sizeof(Vfs));
        vfs->Sqlite = *original;
        vfs->Sqlite.Next = 0;
        vfs->Sqlite.Name = name;
        vfs->Sqlite.Open = &Open;
        vfs->Original = original;
        if (register(vfs, 0) != 0)
        {
            throw new InvalidOperationException("SQLite refused the VFS.");
        }
    }

    /// <summary>The name to open connections with.</summary>
    public string Name { get; }

    /// <summary>Syncs of the write-ahead log that succeeded.</summary>
    public long WalSyncs => disposed ? 0 : Volatile.Read(ref vfs->WalFile.SyncCount);

    /// <summary>Syncs of the database file that succeeded.</summary>
    public long DatabaseSyncs => disposed ? 0 : Volatile.Read(ref vfs->DatabaseFile.SyncCount);

    public void Dispose()
    {
        if (disposed)
        {
            return;
        }

        disposed = true;
        ((delegate* unmanaged[Cdecl]<Vfs*, int>)SqliteLibrary.Export("sqlite3_vfs_unregister"))(vfs);
        NativeMemory.Free(vfs);
        Marshal.FreeCoTaskMem(name);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Open(SqliteVfs* vfs, byte* path, OpenFile* file, int flags, int* outFlags)
    {
        var own = (Vfs*)vfs;
        var result = own->Original->Open(own->Original, path, file, flags, outFlags);
        if (result != 0 || file->Methods == null)
        {
            return result;
        }

        if ((flags & OpenMainDatabase) != 0)
        {
            Exchange(file, &own->DatabaseFile);
        }
        else if ((flags & OpenWal) != 0)
        {
            Exchange(file, &own->WalFile);
        }

        return result;
    }

    /// <summary>
    /// The unix and Windows layers use one table for all files of a kind on one file system, so one copy per kind is enough; a file with
    /// another table keeps its own and is not counted rather than be given wrong methods.
    /// </summary>
    private static void Exchange(OpenFile* file, CountedMethods* counted)
    {
        var seen = Interlocked.CompareExchange(ref counted->Source, (nint)file->Methods, 0);
        if (seen == 0)
        {
            counted->OriginalSync = file->Methods->Sync;
            var methods = *file->Methods;
            methods.Sync = &Sync;
            counted->Methods = methods;
            Volatile.Write(ref counted->Ready, 1);
        }

        if ((seen == 0 || seen == (nint)file->Methods) && Volatile.Read(ref counted->Ready) == 1)
        {
            file->Methods = &counted->Methods;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Sync(OpenFile* file, int flags)
    {
        var counted = (CountedMethods*)file->Methods;
        var result = counted->OriginalSync(file, flags);
        if (result == 0)
        {
            Interlocked.Increment(ref counted->SyncCount);
        }

        return result;
    }

    /// <summary>sqlite3_vfs, version 3 (https://sqlite.org/c3ref/vfs.html).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct SqliteVfs
    {
        public int Version;
        public int FileSize;
        public int PathMax;
        public nint Next;
        public nint Name;
        public nint AppData;
        public delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, OpenFile*, int, int*, int> Open;
        public Pointers14 Others;
    }

    /// <summary>xDelete to xNextSystemCall: copied, never called from here.</summary>
    [InlineArray(14)]
    private struct Pointers14
    {
        private nint first;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Vfs
    {
        public SqliteVfs Sqlite;
        public SqliteVfs* Original;
        public CountedMethods DatabaseFile;
        public CountedMethods WalFile;
    }

    /// <summary>sqlite3_io_methods, version 3.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct IoMethods
    {
        public int Version;
        public nint Close;
        public nint Read;
        public nint Write;
        public nint Truncate;
        public delegate* unmanaged[Cdecl]<OpenFile*, int, int> Sync;
        public Pointers13 Others;
    }

    /// <summary>xFileSize to xUnfetch: copied, never called from here.</summary>
    [InlineArray(13)]
    private struct Pointers13
    {
        private nint first;
    }

    /// <summary>The exchanged table; it stands first, so that a file's method pointer leads to the counter behind it.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct CountedMethods
    {
        public IoMethods Methods;
        public delegate* unmanaged[Cdecl]<OpenFile*, int, int> OriginalSync;
        public nint Source;
        public long SyncCount;
        public int Ready;
    }

    /// <summary>The head of every sqlite3_file.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct OpenFile
    {
        public IoMethods* Methods;
    }
}
