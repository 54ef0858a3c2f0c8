using System.Globalization;
using System.Text;

namespace Omium.Api.Sessions;

/// <summary>
/// Sends mails. Where there is one, an account counts only once its mail was answered; where there is none (a laptop), it counts at once.
/// </summary>
public interface IMailer
{
    /// <summary>Hands a mail over; when it returns, the mail is on its way. Lines of <paramref name="to"/> and <paramref name="subject"/> hold no line break.</summary>
    Task SendAsync(string to, string subject, string text, CancellationToken cancellation);
}

/// <summary>Puts each mail as a file into a directory, from where a mail server picks it up (RFC 5322 text, <c>.eml</c>). Files have mode 0600.</summary>
public sealed class DirectoryMailer(string directory, string from, TimeProvider time) : IMailer
{
    /// <inheritdoc/>
    public async Task SendAsync(string to, string subject, string text, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(subject);
        ArgumentNullException.ThrowIfNull(text);
        if (to.AsSpan().ContainsAny('\r', '\n') || subject.AsSpan().ContainsAny('\r', '\n'))
        {
            throw new ArgumentException("a header line holds no line break", nameof(to));
        }

        Directory.CreateDirectory(directory);
        var content = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {time.GetUtcNow():R}\r\n")
            .Append("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n").Append(text.ReplaceLineEndings("\r\n"));
        var path = Path.Combine(directory, $"{time.GetUtcNow().ToUnixTimeMilliseconds()}-{Guid.NewGuid():N}");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using (var file = new FileStream(path + ".part", options))
        {
            await file.WriteAsync(Encoding.UTF8.GetBytes(content.ToString()), cancellation);
        }

        File.Move(path + ".part", path + ".eml"); // Whoever picks mails up sees whole ones only.
    }
}
